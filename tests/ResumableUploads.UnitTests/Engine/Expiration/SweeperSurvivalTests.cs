using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>The sweep continues after every failure, including a cancellation that is not a stop of the server.</summary>
public sealed class SweeperSurvivalTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly LogLines _log = new();
    private readonly FaultyStore _store;

    public SweeperSurvivalTests() => _store = new FaultyStore(new MemoryUploadStore(timeProvider: _time));

    [Theory]
    [InlineData(typeof(TaskCanceledException))]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(InvalidOperationException))]
    public async Task Sweep_continues_after_a_visitor_throws(Type exception)
    {
        var failing = new Visitor { OnVisit = () => throw (Exception)Activator.CreateInstance(exception)! };
        var other = new Visitor();
        await RunAsync(failing, other, async () =>
        {
            await Eventually.TrueAsync(() => failing.Visits >= 6 && other.Visits >= 6, "three sweeps visited both uploads", () => _time.Advance(Interval));
            Assert.True(other.Sweeps >= 2);
        });
        Assert.Contains(_log.Lines, static line => line.Contains("[221]", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(typeof(TaskCanceledException))]
    [InlineData(typeof(InvalidOperationException))]
    public async Task Sweep_is_retried_after_a_listing_fails(Type exception)
    {
        int failures = 3;
        var visitor = new Visitor();
        _store.OnList = () => Interlocked.Decrement(ref failures) >= 0 ? (Exception)Activator.CreateInstance(exception)! : null;
        await RunAsync(visitor, new Visitor(), () =>
            Eventually.TrueAsync(() => visitor.Sweeps > 0, "a sweep succeeded", () => _time.Advance(Interval)));
        Assert.Equal(3, _log.Lines.Count(static line => line.Contains("[213]", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Sweep_cleans_up_although_its_listing_fails()
    {
        _store.OnList = static () => new UploadStoreException(StoreFailure.Unavailable, "unreadable");
        var sweeper = new UploadSweeper(_store, _time, _log.CreateLogger("test"));
        sweeper.Add(new Visitor());
        await Assert.ThrowsAsync<UploadStoreException>(() => sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(1, _store.CleanUps);
    }

    [Fact]
    public async Task Upload_that_cannot_be_read_is_logged_once_until_it_can_be_read()
    {
        await _store.CreateAsync(new UploadKey("owner", "a"), new UploadRecord(), default);
        UploadStoreException? failure = null;
        var sweeper = new UploadSweeper(_store, _time, _log.CreateLogger("test"));
        sweeper.Add(new Visitor { OnVisit = () => _ = failure is null ? 0 : throw failure });
        sweeper.Add(new Visitor());
        for (int times = 1; times <= 2; times++)
        {
            failure = new UploadStoreException(StoreFailure.Unavailable, "unreadable");
            await sweeper.SweepAsync(CancellationToken.None);
            await sweeper.SweepAsync(CancellationToken.None);
            Assert.Equal(times, _log.Lines.Count(static line => line.Contains("[215]", StringComparison.Ordinal)));
            failure = null;
            await sweeper.SweepAsync(CancellationToken.None);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sweep_visits_all_although_its_checkpoint_cannot_be_used(bool isRead)
    {
        var visitor = new Visitor { OnVisit = () => _time.Advance(TimeSpan.FromSeconds(11)) };
        var failure = new UploadStoreException(StoreFailure.Full, "full");
        (_store.CheckpointReadFailure, _store.CheckpointWriteFailure) = (isRead ? failure : null, isRead ? null : failure);
        await RunAsync(visitor, new Visitor(), () =>
            Eventually.TrueAsync(() => visitor.Sweeps > 0, "a sweep succeeded", () => _time.Advance(Interval)));
        Assert.Contains(_log.Lines, static line => line.Contains("[222]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Visitor_that_fails_at_the_end_of_a_sweep_does_not_stop_it()
    {
        var failing = new Visitor { OnCompleted = static () => throw new TaskCanceledException() };
        var other = new Visitor();
        await RunAsync(failing, other, () =>
            Eventually.TrueAsync(() => other.Sweeps >= 3, "three sweeps ended", () => _time.Advance(Interval)));
    }

    [Fact]
    public async Task Stop_ends_the_sweep_without_a_log_line()
    {
        await RunAsync(new Visitor(), new Visitor(), static () => Task.CompletedTask);
        Assert.Empty(_log.Lines);
    }

    private async Task RunAsync(Visitor first, Visitor second, Func<Task> test)
    {
        foreach (string id in (string[])["a", "b"])
        {
            await _store.CreateAsync(new UploadKey("owner", id), new UploadRecord(), default);
        }

        var sweeper = new UploadSweeper(_store, _time, _log.CreateLogger("test"));
        sweeper.Add(first);
        sweeper.Add(second);
        using var stopping = new CancellationTokenSource();
        Task run = Task.Run(() => sweeper.RunAsync(stopping.Token), CancellationToken.None);
        await test();
        Assert.False(run.IsCompleted);
        await stopping.CancelAsync();
        await Eventually.WithinAsync(run);
    }

    private sealed class Visitor : ISweepVisitor
    {
        private int _visits;
        private int _sweeps;

        public TimeSpan Interval => SweeperSurvivalTests.Interval;

        public TimeSpan EarlyVisitInterval => Interval;

        public UploadKey[] TakeDueVisits() => [];

        public int Visits => Volatile.Read(ref _visits);

        public int Sweeps => Volatile.Read(ref _sweeps);

        public Action? OnVisit { get; init; }

        public Action? OnCompleted { get; init; }

        public ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _visits);
            OnVisit?.Invoke();
            return ValueTask.CompletedTask;
        }

        public void OnSweepCompleted()
        {
            Interlocked.Increment(ref _sweeps);
            OnCompleted?.Invoke();
        }
    }

    private sealed class FaultyStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore), ISweepCheckpointStore, ISelfCleaningStore
    {
        public int CleanUps { get; private set; }

        public Exception? CheckpointReadFailure { get; set; }

        public Exception? CheckpointWriteFailure { get; set; }

        public Func<Exception?>? OnList { get; set; }

        public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
            OnList?.Invoke() is { } failure ? throw failure : base.ListAsync(query, cancellationToken);

        public ValueTask CleanUpAsync(CancellationToken cancellationToken)
        {
            CleanUps++;
            return ValueTask.CompletedTask;
        }

        public ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken) =>
            CheckpointReadFailure is { } failure ? throw failure : new ValueTask<UploadKey?>((UploadKey?)null);

        public ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken) =>
            CheckpointWriteFailure is { } failure ? throw failure : ValueTask.CompletedTask;
    }
}
