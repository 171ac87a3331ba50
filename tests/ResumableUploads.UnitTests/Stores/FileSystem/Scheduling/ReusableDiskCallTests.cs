using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

public sealed class ReusableDiskCallTests : IDisposable
{
    private const int Runs = 1_000;
    private static readonly DiskLaneKey Lane = new("lane");
    private readonly DiskScheduler _scheduler = new("Test disk", maxThreads: 1, TimeProvider.System);
    private readonly ManualResetEventSlim _release = new();
    private readonly CancellationTokenSource _cancellation = new();

    public void Dispose()
    {
        _release.Set();
        _cancellation.Dispose();
        _release.Dispose();
    }

    [Fact]
    public async Task Call_runs_again_after_each_result()
    {
        long sum = 0;
        var call = new ReusableDiskCall<int>(_scheduler, value => sum += value);
        for (int i = 1; i <= Runs; i++)
        {
            Assert.True(await call.RunAsync(Lane, i, _cancellation.Token));
        }

        Assert.Equal(Runs * (Runs + 1) / 2, sum);
        Assert.Equal(0, _scheduler.QueueLength);
    }

    [Fact]
    public void Runs_allocate_nothing_on_the_thread_of_the_caller()
    {
        var call = new ReusableDiskCall<int>(_scheduler, static _ => { });
        Run(call, Runs);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(call, Runs);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Runs);
    }

    [Fact]
    public async Task Call_that_throws_can_run_again()
    {
        var call = new ReusableDiskCall<bool>(_scheduler, static fails => _ = fails ? throw new IOException("injected") : 0);
        Assert.Equal("injected", (await Assert.ThrowsAsync<IOException>(async () => await call.RunAsync(Lane, true, _cancellation.Token))).Message);
        Assert.True(await call.RunAsync(Lane, false, _cancellation.Token));
    }

    [Fact]
    public async Task Canceled_call_leaves_the_queue_and_can_run_again()
    {
        int runs = 0;
        Task<bool> blocker = new ReusableDiskCall<bool>(_scheduler, _ => _release.Wait(TestContext.Current.CancellationToken)).RunAsync(Lane, true, default).AsTask();
        var call = new ReusableDiskCall<bool>(_scheduler, _ => runs++);
        Task<bool> queued = call.RunAsync(Lane, true, _cancellation.Token).AsTask();
        Assert.False(queued.IsCompleted);
        await _cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await call.RunAsync(Lane, true, _cancellation.Token));
        _release.Set();
        Assert.True(await blocker);
        Assert.Equal(0, runs);

        Assert.True(await call.RunAsync(Lane, true, default));
        Assert.Equal(1, runs);
    }

    private void Run(ReusableDiskCall<int> call, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ValueTask<bool> run = call.RunAsync(Lane, i, _cancellation.Token);
            while (!run.IsCompleted)
            {
                Thread.Yield();
            }

            Assert.True(run.GetAwaiter().GetResult());
        }
    }
}
