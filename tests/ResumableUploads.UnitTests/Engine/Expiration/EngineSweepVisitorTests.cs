using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>Which expired uploads the sweep of one engine removes.</summary>
public sealed class EngineSweepVisitorTests : IAsyncDisposable
{
    private static readonly UploadKey Key = new("owner", "id");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly HookedStore _store;
    private readonly UploadEngine _engine;
    private readonly UploadEngine _other;
    private readonly UploadMetrics _metrics = new(null);
    private readonly UploadLockTable _locks;
    private int _expirations;

    public EngineSweepVisitorTests()
    {
        _store = new HookedStore(new MemoryUploadStore(timeProvider: _time));
        _locks = new UploadLockTable(_time);
        _engine = CreateEngine("a");
        _other = CreateEngine("b");
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _other.DisposeAsync();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Expired_upload_is_removed_by_its_engine_and_after_a_day_silently_by_others()
    {
        await AppendAsync(Key, 0);
        _time.Advance(TestSettings.Default.Expiration);
        Assert.True(await ExistsAfterVisitAsync(_other));
        Assert.False(await ExistsAfterVisitAsync(_engine));
        Assert.Equal(1, _expirations);

        await AppendAsync(Key, 0);
        _time.Advance(TestSettings.Default.Expiration + TimeSpan.FromDays(1) - TimeSpan.FromTicks(1));
        Assert.True(await ExistsAfterVisitAsync(_other));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(await ExistsAfterVisitAsync(_other));
        Assert.Equal(1, _expirations);
    }

    [Fact]
    public async Task Expired_upload_that_a_request_has_locked_is_kept()
    {
        await AppendAsync(Key, 0);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var resume = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.BeforeAppend = _ =>
        {
            started.TrySetResult();
            return resume.Task;
        };
        Task<UploadResult> append = AppendAsync(Key, 1);
        await started.Task;
        _time.Advance(TestSettings.Default.Expiration);
        Assert.True(await ExistsAfterVisitAsync(_engine));
        resume.SetResult();
        UploadResult result = await append;
        Assert.Equal((UploadResultKind.Appended, 2), (result.Kind, result.Offset));
    }

    private UploadEngine CreateEngine(string name) =>
        new(_store, TestSettings.Default with { GetEngineNames = () => [name] }, _metrics, _locks, new OwnerUsageTable(), _time, NullLogger.Instance);

    private Task<UploadResult> AppendAsync(UploadKey key, long offset)
    {
        var command = new AppendCommand
        {
            Key = key,
            Offset = offset,
            Body = PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>([1])),
            BodyLength = 1,
            UploadLength = 10,
            CompletionRule = CompletionRule.AtLength,
            CreateIfMissing = new CreateCommand("test", null, null),
        };
        return _engine.AppendAsync(command, new CountingCallbacks(this), default).AsTask();
    }

    private async Task<bool> ExistsAfterVisitAsync(UploadEngine engine)
    {
        UploadInfo info = (await _store.GetAsync(Key, default))!;
        ISweepVisitor visitor = engine.CreateSweepVisitor(new CountingCallbacks(this));
        visitor.OnSweepCompleted();
        await visitor.VisitAsync(info, default);
        return await _store.GetAsync(Key, default) is not null;
    }

    private sealed class CountingCallbacks(EngineSweepVisitorTests test) : IUploadCallbacks
    {
        public bool HasCompletionHandler => false;

        public bool HasProgressHandler => false;

        public IUploadCallbacks ForOtherUpload() => this;

        public ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken) => default;

        public ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken) => default;

        public ValueTask<HandlerResult> RunHandlerAsync(
            UploadInfo info, EngineRecord record, CancellationToken cancellationToken) => default;

        public ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) => default;

        public ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
        {
            test._expirations++;
            return default;
        }
    }
}
