using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Startup;

/// <summary>How the sweeps end when the application stops.</summary>
public class StoreSweepersTests
{
    [Fact]
    public async Task WaitAsync_does_not_wait_for_a_sweep_that_hangs()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        var log = new LogLines();
        var store = new MemoryUploadStore(timeProvider: time);
        var visitor = new HangingVisitor();
        using var stopping = new CancellationTokenSource();
        await store.CreateAsync(new UploadKey("owner", "id"), new UploadRecord(), default);
        var sweepers = new StoreSweepers(time, log.CreateLogger("ResumableUploads"), stopping.Token);
        sweepers.Add(store, visitor);
        sweepers.Start();
        await Eventually.WithinAsync(visitor.Started.Task);
        await stopping.CancelAsync();
        Task wait = sweepers.WaitAsync(TimeSpan.FromSeconds(10));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(wait.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.WithinAsync(wait);
        Assert.Contains(log.Lines, static line => line.Contains("[270]", StringComparison.Ordinal));
        visitor.End.SetResult();
        await Eventually.WithinAsync(sweepers.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(TaskCanceledException))]
    public async Task Listener_that_throws_is_logged_and_started_again(Type exception)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        var log = new LogLines();
        using var memory = new MemoryUploadStore(timeProvider: time);
        var store = new ListeningStore(memory, exception);
        using var stopping = new CancellationTokenSource();
        var sweepers = new StoreSweepers(time, log.CreateLogger("ResumableUploads"), stopping.Token);
        sweepers.Add(store, new HangingVisitor());
        sweepers.Start();
        await Eventually.TrueAsync(() => store.Calls >= 3, "the listener was started again", () => time.Advance(TimeSpan.FromSeconds(10)));
        await stopping.CancelAsync();
        await Eventually.WithinAsync(sweepers.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(2, log.Lines.Count(static line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("[285]", StringComparison.Ordinal)));
    }

    /// <summary>A store whose listener throws twice, and then when the server stops.</summary>
    private sealed class ListeningStore(IUploadStore store, Type exception) : DelegatingUploadStore(store), ITakeoverStore
    {
        private int _calls;

        public int Calls => Volatile.Read(ref _calls);

        public async Task ListenAsync(CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _calls) <= 2)
            {
                throw (Exception)Activator.CreateInstance(exception)!;
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        public ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TakeoverStatus.NotAppending);
    }

    private sealed class HangingVisitor : ISweepVisitor
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TimeSpan Interval => TimeSpan.FromMinutes(5);

        public TimeSpan EarlyVisitInterval => Interval;

        public UploadKey[] TakeDueVisits() => [];

        public async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
        {
            Started.TrySetResult();
            await End.Task;
        }

        public void OnSweepCompleted()
        {
        }
    }
}
