using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
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

    private static async Task<UploadInfo?> GetStatusAsync(TestEngine engine) =>
        await engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: false, matchesCreationRequest: null, default);

    /// <summary>A store in which another process may be appending.</summary>
    private sealed class TakeoverStore() : DelegatingUploadStore(new MemoryUploadStore()), ITakeoverStore
    {
        public Func<Task<TakeoverStatus>> TakeOver { get; set; } = static () => Task.FromResult(TakeoverStatus.NotShared);

        /// <summary>Gets or sets the durable offset of the append of the other process, or null if there is none.</summary>
        public long? BusyOffset { get; set; }

        public Task ListenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) => await TakeOver();

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
            BusyOffset is { } durable ? new AppendResult(AppendStatus.Busy, durable, null) : await base.AppendAsync(key, offset, content, mode, cancellationToken);
    }
}
