using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Scheduling;

public class InPlaceGateTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly InPlaceGate _gate;
    private long _waits;

    public InPlaceGateTests() => _gate = new InPlaceGate(1, _time, () => _waits);

    [Fact]
    public void Gate_closes_after_two_calls_that_waited()
    {
        Assert.True(Run(TimeSpan.FromMilliseconds(21), waits: 1));
        Assert.True(Run(TimeSpan.FromMilliseconds(21), waits: 1));
        Assert.False(Run(TimeSpan.Zero, waits: 0));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(Run(TimeSpan.Zero, waits: 0));
    }

    [Fact]
    public void Gate_of_a_disk_that_stays_slow_closes_after_each_call_that_waited()
    {
        Run(TimeSpan.FromMilliseconds(21), waits: 1);
        Run(TimeSpan.FromMilliseconds(21), waits: 1);
        for (int i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            Assert.True(Run(TimeSpan.FromMilliseconds(21), waits: 1));
            Assert.False(Run(TimeSpan.Zero, waits: 0));
        }
    }

    [Fact]
    public void Gate_stays_open_if_slow_calls_wait_only_for_a_processor()
    {
        for (int i = 0; i < 10; i++)
        {
            Assert.True(Run(TimeSpan.FromMilliseconds(100), waits: 0));
        }
    }

    [Fact]
    public void Gate_stays_open_if_short_calls_wait()
    {
        for (int i = 0; i < 10; i++)
        {
            Assert.True(Run(TimeSpan.FromMilliseconds(20), waits: 1));
        }
    }

    [Fact]
    public void Second_call_does_not_wait_for_a_running_one_for_long()
    {
        Assert.True(_gate.TryEnter(out InPlaceCall running));
        Assert.False(_gate.TryEnter(out _));
        _gate.Exit(running);
        Assert.True(_gate.TryEnter(out _));
    }

    [Fact]
    public void Waits_of_a_thread_are_counted()
    {
        long before = ThreadWaits.GetCount();
        TestContext.Current.CancellationToken.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(1));
        Assert.True(ThreadWaits.GetCount() > before);
    }

    private bool Run(TimeSpan duration, int waits)
    {
        if (!_gate.TryEnter(out InPlaceCall call))
        {
            return false;
        }

        _time.Advance(duration);
        _waits += waits;
        _gate.Exit(call);
        return true;
    }
}
