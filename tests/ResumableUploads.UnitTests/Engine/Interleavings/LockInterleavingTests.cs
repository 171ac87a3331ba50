using System.Runtime.CompilerServices;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>Several requests acquire the lock of an upload, and each holds it until the next one waits for it.</summary>
public class LockInterleavingTests
{
    private const int Requests = 4;

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public Task Every_request_acquires_the_lock_in_every_schedule(int canceled) =>
        Exploration.AssertNoRaceAsync(1000, scheduler => RunAsync(scheduler, canceled, static _ => { }));

    /// <summary>A request to release the lock that comes before the callback is set must not be forgotten.</summary>
    [Fact]
    public Task Lost_wake_up_is_found() => Exploration.AssertRaceIsFoundAsync(
        2000, static scheduler => RunAsync(scheduler, 0, static uploadLock => IsReleaseRequested(uploadLock) = false), "wait");

    private static async Task RunAsync(InterleavingScheduler scheduler, int canceled, Action<UploadLock> beforeCallback)
    {
        var locks = new UploadLockTable(scheduler.Clock);
        var allArrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int holders = 0, mostHolders = 0, arrived = 0;
        await Task.WhenAll(Enumerable.Range(0, Requests).Select(RequestAsync));
        Assert.Equal((TimeSpan.Zero, 1), (scheduler.Clock.Elapsed, mostHolders));

        // A lock that was granted to a canceled request is passed on by a callback on the thread pool, which ends before the clock advances.
        await Task.Delay(TimeSpan.FromMilliseconds(1), scheduler.Clock);
        using UploadLock? free = locks.TryAcquire(ScheduledProcess.KeyOf("a"));
        Assert.NotNull(free);

        async Task RequestAsync(int number)
        {
            var cancellation = new CancellationTokenSource();
            await scheduler.JitterAsync();
            if (number < canceled)
            {
                _ = CancelAsync(cancellation);
            }

            try
            {
                using UploadLock? uploadLock = await locks.AcquireAsync(ScheduledProcess.KeyOf("a"), TimeSpan.FromMinutes(1), cancellation.Token);
                Assert.True(uploadLock is not null, "The wait for the lock took until its timeout.");
                await HoldAsync(uploadLock);
            }
            catch (OperationCanceledException)
            {
                Arrive();
            }
        }

        async Task HoldAsync(UploadLock uploadLock)
        {
            mostHolders = Math.Max(mostHolders, ++holders);
            Arrive();
            await scheduler.JitterAsync();
            var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            beforeCallback(uploadLock);
            uploadLock.SetReleaseCallback(_ => released.TrySetResult());
            await Task.WhenAny(released.Task, allArrived.Task);
            uploadLock.SetReleaseCallback(null);
            holders--;
        }

        void Arrive()
        {
            if (++arrived == Requests)
            {
                allArrived.SetResult();
            }
        }

        async Task CancelAsync(CancellationTokenSource cancellation)
        {
            await scheduler.JitterAsync();
            cancellation.Cancel();
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_isReleaseRequested")]
    private static extern ref bool IsReleaseRequested(UploadLock uploadLock);
}
