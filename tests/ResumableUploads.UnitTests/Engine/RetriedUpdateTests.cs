using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.UnitTests.Engine;

/// <summary>An upload is started over between the time at which it is read and an update of its record. The update must not change the new upload.</summary>
public sealed class RetriedUpdateTests : IAsyncDisposable
{
    private static readonly Digest WrongDigest = new(DigestAlgorithm.All.First(static algorithm => algorithm.Name == "sha-256"), new byte[32]);
    private readonly StartedOverStore _store = new();
    private readonly TestEngine _engine;

    public RetriedUpdateTests() => _engine = new TestEngine(_store, TimeProvider.System);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Theory]
    [InlineData(UploadState.Received)]
    [InlineData(UploadState.Completed)]
    public async Task Last_byte_of_an_old_upload_does_not_finish_the_new_one(UploadState state)
    {
        if (state == UploadState.Received)
        {
            SetHandler();
        }

        _store.StartOverBefore = record => record.State == state;
        UploadResult result = await _engine.AppendAsync(0, [1, 2], 2);
        Assert.Equal(UploadResultKind.Busy, result.Kind);
        await ShouldBeUnchangedAsync(UploadState.Receiving);
    }

    [Fact]
    public async Task Handler_of_an_old_upload_does_not_complete_the_new_one()
    {
        SetHandler();
        _store.StartOverBefore = static record => record.State == UploadState.Completed;
        await _engine.AppendAsync(0, [1, 2], 2);
        await ShouldBeUnchangedAsync(UploadState.Receiving);
    }

    [Fact]
    public async Task Digest_mismatch_of_an_old_upload_is_not_recorded_in_the_new_one()
    {
        _store.StartOverBefore = static record => record.State == UploadState.Receiving;
        UploadResult result = await SendAsync(0, [1, 2]);
        Assert.Equal(UploadResultKind.ReprDigestMismatch, result.Kind);
        await ShouldBeUnchangedAsync(UploadState.Receiving);
    }

    [Fact]
    public async Task Digest_of_an_old_completed_upload_is_not_recorded_in_the_new_one()
    {
        await _engine.AppendAsync(0, [1, 2], 2);
        _store.StartOverBefore = static record => record.State == UploadState.Completed;
        _store.NewState = UploadState.Completed;
        UploadResult result = await SendAsync(2, []);
        Assert.Equal(UploadResultKind.DifferentContent, result.Kind);
        await ShouldBeUnchangedAsync(UploadState.Completed);
    }

    private void SetHandler() => _engine.Callbacks.OnCompleted = static (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));

    private async Task ShouldBeUnchangedAsync(UploadState state)
    {
        Assert.Null(_store.StartOverBefore);
        UploadInfo info = (await _engine.GetAsync())!;
        Assert.Equal((state, 2), (info.State, info.Offset));
        Assert.Equal(_store.NewRecord.ToBytes().ToArray(), info.Record.Data.ToArray());
    }

    private Task<UploadResult> SendAsync(long offset, byte[] bytes) => _engine.Engine.AppendAsync(
        new AppendCommand
        {
            Key = TestEngine.Key,
            Offset = offset,
            Body = PipeReader.Create(new ReadOnlySequence<byte>(bytes)),
            BodyLength = bytes.Length,
            UploadLength = 2,
            ReprDigest = WrongDigest,
            CompletionRule = CompletionRule.AtLength,
            CreateIfMissing = new CreateCommand("test", "name", null),
        },
        _engine.Callbacks,
        default).AsTask();

    /// <summary>A store in which another process starts the upload over, and sends as many bytes, before an update of the record.</summary>
    private sealed class StartedOverStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public Func<UploadRecord, bool>? StartOverBefore { get; set; }

        public UploadState NewState { get; set; }

        public EngineRecord NewRecord { get; } = new() { Protocol = "new", Created = DateTimeOffset.UnixEpoch };

        public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
        {
            if (StartOverBefore?.Invoke(record) == true)
            {
                StartOverBefore = null;
                var newRecord = new UploadRecord { Length = 2, Data = NewRecord.ToBytes() };
                await InnerStore.DeleteAsync(key, null, cancellationToken);
                await InnerStore.CreateAsync(key, newRecord, cancellationToken);
                await InnerStore.AppendAsync(key, 0, RecordingContent.FromBytes([3, 4]), AppendMode.KeepPartial, cancellationToken);
                if (NewState != UploadState.Receiving)
                {
                    UploadInfo info = (await InnerStore.GetAsync(key, cancellationToken))!;
                    await InnerStore.UpdateAsync(key, info.Version, newRecord with { State = NewState }, cancellationToken);
                }
            }

            return await InnerStore.UpdateAsync(key, version, record, cancellationToken);
        }
    }
}
