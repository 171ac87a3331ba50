using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Locking;

/// <summary>How the engine uses a store that can end the appends of other processes.</summary>
public class UploadTakeoverTests
{
    private readonly TakeoverStore _store = new();

    [Theory]
    [InlineData(TakeoverStatus.NotAppending)]
    [InlineData(TakeoverStatus.Released)]
    [InlineData(TakeoverStatus.StillAppending)]
    public async Task Status_includes_what_another_process_has_stored_meanwhile(TakeoverStatus status)
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 10);
        _store.TakeOver = async () =>
        {
            await engine.AppendAsync(3, [4, 5], 10);
            return status;
        };
        Assert.Equal(5, (await GetStatusAsync(engine))?.Offset);
    }

    [Fact]
    public async Task Status_is_reported_although_the_takeover_fails()
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 10);
        _store.TakeOver = static () => throw new UploadStoreException(StoreFailure.ReadOnly, "The disk is read-only.");
        Assert.Equal(3, (await GetStatusAsync(engine))?.Offset);
    }

    [Fact]
    public async Task Status_of_a_received_upload_takes_nothing_over()
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 3);
        _store.TakeOver = static () => throw new InvalidOperationException("Called.");
        Assert.Equal(3, (await GetStatusAsync(engine))?.Offset);
    }

    [Theory]
    [InlineData(TakeoverStatus.NotAppending, UploadResultKind.Cancelled)]
    [InlineData(TakeoverStatus.NotShared, UploadResultKind.Cancelled)]
    [InlineData(TakeoverStatus.StillAppending, UploadResultKind.Busy)]
    public async Task Cancellation_waits_for_the_append_of_another_process(TakeoverStatus status, object expected)
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 10);
        _store.TakeOver = () => Task.FromResult(status);
        Assert.Equal(expected, (await engine.Engine.CancelAsync(TestEngine.Key, default, default)).Kind);
    }

    [Theory]
    [InlineData(3, TakeoverStatus.Released, UploadResultKind.Appended, 1)]
    [InlineData(3, TakeoverStatus.NotAppending, UploadResultKind.Appended, 1)]
    [InlineData(3, TakeoverStatus.StillAppending, UploadResultKind.Busy, 1)]
    [InlineData(4, TakeoverStatus.Released, UploadResultKind.OffsetMismatch, 0)]
    public async Task Busy_append_takes_over_at_the_offset_of_the_upload(long stored, TakeoverStatus status, object expected, int takeovers)
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 10);
        int count = 0;
        _store.BusyOffset = stored;
        _store.TakeOver = () =>
        {
            count++;
            _store.BusyOffset = status == TakeoverStatus.StillAppending ? stored : null;
            return Task.FromResult(status);
        };
        UploadResult result = await engine.AppendAsync(3, [4], 10);
        Assert.Equal((expected, takeovers), (result.Kind, count));
    }

    /// <param name="isAllReceivedFirst">Whether the bytes of the request are received before the upload is replaced.</param>
    /// <param name="status">How the takeover ends.</param>
    /// <param name="expected">The result.</param>
    [Theory]
    [InlineData(false, TakeoverStatus.Released, UploadResultKind.Appended)]
    [InlineData(false, TakeoverStatus.NotAppending, UploadResultKind.Appended)]
    [InlineData(false, TakeoverStatus.StillAppending, UploadResultKind.Busy)]
    [InlineData(true, TakeoverStatus.Released, UploadResultKind.Appended)]
    [InlineData(true, TakeoverStatus.StillAppending, UploadResultKind.Busy)]
    public async Task Request_that_starts_over_takes_over_before_its_bytes_are_received(bool isAllReceivedFirst, TakeoverStatus status, object expected)
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await using var other = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 10);
        _store.IsBusy = true;
        _store.TakeOver = async () =>
        {
            Assert.Single(await ListAsync());
            _store.IsBusy = status == TakeoverStatus.StillAppending;
            await other.AppendAsync(3, [4, 5], 10);
            return status;
        };
        UploadResult result = await StartOverAsync(engine, isAllReceivedFirst);
        Assert.Equal((expected, 1), (result.Kind, (await ListAsync()).Count));
        Assert.Equal(status == TakeoverStatus.StillAppending ? 5 : 1, (await engine.GetAsync())!.Offset);
    }

    [Fact]
    public async Task Upload_whose_handler_another_process_runs_after_the_takeover_is_not_replaced()
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await using var other = new TestEngine(_store, TimeProvider.System);
        other.Callbacks.OnCompleted = static (_, _) => throw new InvalidOperationException("The first attempt fails.");
        await engine.AppendAsync(0, [1, 2, 3], 4);
        _store.TakeOver = async () =>
        {
            _store.TakeOver = static () => throw new InvalidOperationException("Called.");
            await other.AppendAsync(3, [4], 4);
            return TakeoverStatus.Released;
        };
        await engine.Engine.AppendAsync(CreateRestart(bodyLength: 1), engine.Callbacks, default);
        Assert.Equal(4, (await engine.GetAsync())!.Offset);
    }

    [Theory]
    [InlineData(false, TakeoverStatus.Released, UploadResultKind.Appended)]
    [InlineData(true, TakeoverStatus.Released, UploadResultKind.Appended)]
    [InlineData(true, TakeoverStatus.NotAppending, UploadResultKind.Appended)]
    [InlineData(true, TakeoverStatus.StillAppending, UploadResultKind.Busy)]
    public async Task Replacement_is_repeated_after_an_append_that_began_meanwhile(bool isAllReceivedFirst, TakeoverStatus status, object expected)
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await using var other = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 10);
        int count = 0;
        _store.TakeOver = async () =>
        {
            if (++count == 1)
            {
                _store.IsBusy = true;
                return TakeoverStatus.NotAppending;
            }

            _store.IsBusy = status == TakeoverStatus.StillAppending;
            await other.AppendAsync(3, [4, 5], 10);
            return status;
        };
        UploadResult result = await StartOverAsync(engine, isAllReceivedFirst);
        Assert.Equal((expected, 2, 1), (result.Kind, count, (await ListAsync()).Count));
    }

    /// <param name="isLength">Whether the append announces the length; otherwise a digest.</param>
    /// <param name="stored">The number of bytes that another process stores before it ends its append.</param>
    /// <param name="status">How the takeover ends.</param>
    /// <param name="expected">The result.</param>
    [Theory]
    [InlineData(true, 0, TakeoverStatus.Released, UploadResultKind.Appended)]
    [InlineData(false, 0, TakeoverStatus.Released, UploadResultKind.Appended)]
    [InlineData(false, 0, TakeoverStatus.NotAppending, UploadResultKind.Appended)]
    [InlineData(false, 0, TakeoverStatus.StillAppending, UploadResultKind.Busy)]
    [InlineData(true, 2, TakeoverStatus.Released, UploadResultKind.OffsetMismatch)]
    [InlineData(false, 2, TakeoverStatus.Released, UploadResultKind.OffsetMismatch)]
    public async Task Append_that_announces_something_takes_over(bool isLength, int stored, TakeoverStatus status, object expected)
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await using var other = new TestEngine(_store, TimeProvider.System);
        await SendAsync(engine, 0, 3, length: null, digest: null);
        _store.IsBusy = true;
        _store.TakeOver = async () =>
        {
            _store.IsBusy = status == TakeoverStatus.StillAppending;
            if (stored > 0)
            {
                await SendAsync(other, 3, stored, length: null, digest: null);
            }
            else if (!_store.IsBusy)
            {
                // Its version is another one.
                await other.ChangeAsync(static info => info.Record);
            }

            return status;
        };
        var digest = new Digest(DigestAlgorithm.Sha256, new byte[32]);
        UploadResult result = await SendAsync(engine, 3, 1, isLength ? 10 : null, isLength ? null : digest);
        Assert.Equal(expected, result.Kind);
        UploadInfo info = (await engine.GetAsync())!;
        bool isAppended = result.Kind == UploadResultKind.Appended;
        Assert.Equal(isAppended ? 4 : 3 + stored, info.Offset);
        Assert.Equal((isAppended && isLength ? 10 : null, isAppended && !isLength ? digest.ToString() : null), (info.Length, EngineRecord.From(info).ReprDigest));
    }

    private static Task<UploadResult> SendAsync(TestEngine engine, long offset, int size, long? length, Digest? digest) =>
        engine.Engine.AppendAsync(TestEngine.CreateCommand(offset, new byte[size], length) with { ReprDigest = digest }, engine.Callbacks, default).AsTask();

    private static AppendCommand CreateRestart(long? bodyLength) =>
        TestEngine.CreateCommand(0, [7], 10) with { BodyLength = bodyLength, RestartAtOffsetZero = true };

    private static Task<UploadResult> StartOverAsync(TestEngine engine, bool isAllReceivedFirst) =>
        engine.Engine.AppendAsync(CreateRestart(isAllReceivedFirst ? null : 1), engine.Callbacks, default).AsTask();

    private ValueTask<List<UploadInfo>> ListAsync() => _store.ListAsync(new UploadQuery(), default).ToListAsync();

    [Fact]
    public async Task Append_to_an_upload_that_was_replaced_since_it_was_checked_is_busy()
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await using var other = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 5);
        _store.BeforeAppend = async () =>
        {
            _store.BeforeAppend = null;
            await other.Engine.CancelAsync(TestEngine.Key, default, default);
            await other.AppendAsync(0, [7, 8, 9], 9);
        };
        Assert.Equal(UploadResultKind.Busy, (await engine.AppendAsync(3, [4, 5], 5)).Kind);
        UploadInfo? info = await _store.GetAsync(TestEngine.Key, default);
        Assert.Equal((3, 9, UploadState.Receiving), (info!.Offset, info.Length, info.State));
    }

    [Fact]
    public async Task Append_whose_upload_is_replaced_during_its_verification_gets_no_other_result()
    {
        await using var engine = new TestEngine(_store, TimeProvider.System);
        await using var other = new TestEngine(_store, TimeProvider.System);
        await engine.AppendAsync(0, [1, 2, 3], 5);
        _store.BeforeRead = async () =>
        {
            _store.BeforeRead = null;
            await other.Engine.CancelAsync(TestEngine.Key, default, default);
            await other.AppendAsync(0, [9], 1);
        };
        AppendCommand last = TestEngine.CreateCommand(3, [4, 5], 5) with { ReprDigest = new Digest(DigestAlgorithm.Sha256, SHA256.HashData([1, 2, 3, 4, 5])) };
        Assert.Equal(UploadResultKind.NotFound, (await engine.Engine.AppendAsync(last, engine.Callbacks, default)).Kind);
    }

    private static async Task<UploadInfo?> GetStatusAsync(TestEngine engine) =>
        await engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: false, matchesCreationRequest: null, default);

    /// <summary>A store in which another process may be appending.</summary>
    private sealed class TakeoverStore() : DelegatingUploadStore(new MemoryUploadStore()), ITakeoverStore, IReplacingStore
    {
        public Func<Task<TakeoverStatus>> TakeOver { get; set; } = static () => Task.FromResult(TakeoverStatus.NotShared);

        /// <summary>Gets or sets the durable offset of the append of the other process, or null if there is none.</summary>
        public long? BusyOffset { get; set; }

        /// <summary>Gets or sets whether another process appends, so that the upload cannot be changed.</summary>
        public bool IsBusy { get; set; }

        public Task ListenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) => await TakeOver();

        /// <summary>Gets or sets the function that runs before the content is read.</summary>
        public Func<Task>? BeforeRead { get; set; }

        /// <summary>Gets or sets the function that runs before an append.</summary>
        public Func<Task>? BeforeAppend { get; set; }

        public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Stream? content = await base.OpenReadAsync(key, cancellationToken);
            await (BeforeRead?.Invoke() ?? Task.CompletedTask);
            return content;
        }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            await (BeforeAppend?.Invoke() ?? Task.CompletedTask);
            return BusyOffset is { } durable ? new AppendResult(AppendStatus.Busy, durable, null) : await base.AppendAsync(key, offset, content, mode, cancellationToken);
        }

        public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            IsBusy ? new UpdateResult(ChangeStatus.Busy, null) : await base.UpdateAsync(key, version, record, cancellationToken);

        public async ValueTask<UpdateResult> ReplaceAsync(
            UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken) =>
            IsBusy ? new UpdateResult(ChangeStatus.Busy, null)
                : await InnerStore.GetCapability<IReplacingStore>()!.ReplaceAsync(key, version, replacementKey, replacementVersion, cancellationToken);
    }
}
