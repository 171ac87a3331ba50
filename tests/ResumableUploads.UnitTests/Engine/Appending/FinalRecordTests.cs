using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>The store may write the record of an upload that has all its bytes together with the last of them.</summary>
public sealed class FinalRecordTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly CountingStore _store;
    private readonly TestEngine _engine;

    public FinalRecordTests()
    {
        _store = new CountingStore(new MemoryUploadStore(timeProvider: _time));
        _engine = new TestEngine(_store, _time);
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task Last_append_completes_the_upload_without_an_update()
    {
        await _engine.AppendAsync(0, [1], 3);
        UploadResult result = await _engine.AppendAsync(1, [2, 3], 3);
        UploadInfo info = (await _engine.GetAsync())!;
        Assert.Equal((UploadResultKind.Completed, 3L, 3L), (result.Kind, result.Offset, result.UploadLength));
        Assert.Equal((UploadState.Completed, 3L, true), (info.State, info.Offset, EngineRecord.From(info).IsContentStored));
        Assert.Equal([UploadState.Completed], _store.Written);
        Assert.Equal(0, _store.UpdateCount);
    }

    [Fact]
    public async Task Last_append_leases_the_handler_without_an_update()
    {
        HandlerState? during = null;
        _engine.Callbacks.OnCompleted = async (_, _) =>
        {
            during = await _engine.GetHandlerAsync();
            return new HandlerResult(HandlerResultKind.Final, new byte[] { 7 });
        };
        UploadResult result = await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal((UploadResultKind.Completed, (byte)7), (result.Kind, result.Response!.Value.Span[0]));
        Assert.Equal(1, during!.Attempts);
        Assert.NotNull(during.LeasedBy);
        Assert.Equal([UploadState.Received], _store.Written);

        Assert.Equal(0, _store.UpdateCount);
    }

    [Fact]
    public async Task Append_before_the_last_one_leaves_the_record()
    {
        await _engine.AppendAsync(0, [1, 2], 3);
        Assert.Empty(_store.Written);
        Assert.Equal(UploadState.Receiving, (await _engine.GetAsync())!.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Record_is_written_after_the_digest_of_the_content_is_verified(bool matches)
    {
        DigestAlgorithm algorithm = DigestAlgorithm.All.First(static algorithm => algorithm.Name == "sha-256");
        var digest = new Digest(algorithm, matches ? System.Security.Cryptography.SHA256.HashData([1, 2]) : new byte[32]);
        UploadResult result = await _engine.Engine.AppendAsync(TestEngine.CreateCommand(0, [1, 2], 2) with { ReprDigest = digest }, _engine.Callbacks, default);
        Assert.Empty(_store.Written);
        Assert.Equal(matches ? UploadResultKind.Completed : UploadResultKind.ReprDigestMismatch, result.Kind);
        Assert.Equal(matches ? UploadState.Completed : UploadState.Receiving, (await _engine.GetAsync())!.State);
    }

    [Fact]
    public async Task Part_of_a_concatenation_stays_receiving()
    {
        await _engine.AppendToPartAsync(TestEngine.Key.Id, 0, [1, 2], 2);
        Assert.Empty(_store.Written);
        Assert.Equal(UploadState.Receiving, (await _engine.GetAsync())!.State);
    }

    [Fact]
    public async Task Record_is_updated_if_the_store_does_not_write_it()
    {
        _store.WritesFinalRecord = false;
        Assert.Equal(UploadResultKind.Completed, (await _engine.AppendAsync(0, [1, 2], 2)).Kind);
        Assert.Equal((1, UploadState.Completed), (_store.UpdateCount, (await _engine.GetAsync())!.State));
    }

    [Fact]
    public async Task Record_that_cannot_be_written_fails_the_append_and_a_retry_completes_the_upload()
    {
        _store.AfterAppend = static result => throw new UploadStoreException(StoreFailure.Full, "Injected failure.", result.Offset);
        _store.WritesFinalRecord = false;
        UploadResult failed = await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal((UploadResultKind.StorageFull, 2L), (failed.Kind, failed.Offset));
        Assert.Equal(UploadState.Receiving, (await _engine.GetAsync())!.State);

        _store.AfterAppend = null;
        Assert.Equal(UploadResultKind.Completed, (await _engine.AppendAsync(2, [], 2)).Kind);
        Assert.Equal(UploadState.Completed, (await _engine.GetAsync())!.State);
    }

    /// <summary>A store that counts updates and the final records that its inner store writes.</summary>
    private sealed class CountingStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public List<UploadState> Written { get; } = [];

        public int UpdateCount { get; private set; }

        public bool WritesFinalRecord { get; set; } = true;

        public Action<AppendResult>? AfterAppend { get; set; }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            AppendResult result = await (WritesFinalRecord
                ? InnerStore.AppendAsync(key, offset, content, mode, cancellationToken)
                : base.AppendAsync(key, offset, content, mode, cancellationToken));
            if (result.Updated is { } updated)
            {
                Written.Add(updated.State);
            }

            AfterAppend?.Invoke(result);
            return result;
        }

        public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
        {
            UpdateCount++;
            return base.UpdateAsync(key, version, record, cancellationToken);
        }
    }
}
