using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Client.Engine;

namespace ResumableUploads.UnitTests.Client;

public class StallWatchdogTests
{
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AlmostStallTimeout = TimeSpan.FromSeconds(9);

    [Fact]
    public void Time_starts_with_the_request_and_again_with_each_progress()
    {
        var clock = new FakeTimeProvider();
        using var watchdog = new StallWatchdog(StallTimeout, clock, CancellationToken.None);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.False(watchdog.HasStalled);
        watchdog.Touch();
        clock.Advance(AlmostStallTimeout);
        watchdog.Touch();
        clock.Advance(AlmostStallTimeout);
        Assert.False(watchdog.Token.IsCancellationRequested);
        clock.Advance(AlmostStallTimeout);
        Assert.True(watchdog.HasStalled);
        Assert.True(watchdog.Token.IsCancellationRequested);
    }

    [Fact]
    public void Cancellation_by_the_caller_is_no_stall()
    {
        using var stop = new CancellationTokenSource();
        using var watchdog = new StallWatchdog(StallTimeout, new FakeTimeProvider(), stop.Token);
        stop.Cancel();
        Assert.True(watchdog.Token.IsCancellationRequested);
        Assert.False(watchdog.HasStalled);
    }

    [Fact]
    public void Write_after_the_end_of_the_request_is_ignored()
    {
        var watchdog = new StallWatchdog(StallTimeout, new FakeTimeProvider(), CancellationToken.None);
        watchdog.Dispose();
        watchdog.Touch();
        Assert.False(watchdog.HasStalled);
    }
}
