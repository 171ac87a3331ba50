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

    private sealed class HangingVisitor : ISweepVisitor
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TimeSpan Interval => TimeSpan.FromMinutes(5);

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
