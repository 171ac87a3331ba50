using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.UnitTests.Engine.Content;

public class PaceWatchTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with
    {
        IdleTimeout = TimeSpan.FromSeconds(60),
        MinDataRate = 100,
        MinDataRatePeriod = TimeSpan.FromSeconds(40),
    };

    private readonly FakeTimeProvider _time = new();
    private readonly List<BodyEndReason> _ends = [];

    [Fact]
    public void Who_sends_nothing_for_the_idle_timeout_is_idle()
    {
        using MinDataRateMonitor pace = Watch(Settings with { MinDataRate = 0 });
        pace.StartWaiting();
        Pass(59);
        Assert.Empty(_ends);
        Pass(16);
        Assert.Equal(BodyEndReason.IdleTimeout, _ends[0]);
    }

    [Fact]
    public void A_byte_now_and_then_is_not_idle_without_a_lowest_rate()
    {
        using MinDataRateMonitor pace = Watch(Settings with { MinDataRate = 0 });
        for (int i = 0; i < 20; i++)
        {
            pace.StartWaiting();
            Pass(50);
            pace.StopWaiting();
            pace.AddBytes(1);
        }

        Assert.Empty(_ends);
    }

    [Fact]
    public void Who_sends_below_the_lowest_rate_is_too_slow()
    {
        using MinDataRateMonitor pace = Watch(Settings);
        for (int i = 0; i < 50 && _ends.Count == 0; i++)
        {
            pace.StartWaiting();
            Pass(1);
            pace.StopWaiting();
            pace.AddBytes(99);
        }

        pace.StartWaiting();
        Pass(10);
        Assert.Equal(BodyEndReason.BelowMinDataRate, _ends[0]);
    }

    [Fact]
    public void Who_sends_at_the_lowest_rate_may_go_on_for_days()
    {
        using MinDataRateMonitor pace = Watch(Settings);
        for (int i = 0; i < 5000; i++)
        {
            pace.StartWaiting();
            Pass(1);
            pace.StopWaiting();
            pace.AddBytes(150);
        }

        Assert.Empty(_ends);
    }

    [Fact]
    public void A_burst_long_ago_is_no_excuse()
    {
        using MinDataRateMonitor pace = Watch(Settings);
        pace.StartWaiting();
        Pass(1);
        pace.StopWaiting();
        pace.AddBytes(1 << 30);
        for (int i = 0; i < 200 && _ends.Count == 0; i++)
        {
            pace.StartWaiting();
            Pass(1);
            pace.StopWaiting();
            pace.AddBytes(1);
        }

        Assert.Equal(BodyEndReason.BelowMinDataRate, _ends[0]);
    }

    [Fact]
    public void A_slow_disk_is_nobodys_fault()
    {
        using MinDataRateMonitor pace = Watch(Settings);
        for (int i = 0; i < 100; i++)
        {
            pace.StartWaiting();
            _time.Advance(TimeSpan.FromMilliseconds(1));
            pace.StopWaiting();
            pace.AddBytes(1);

            // The store writes for an hour.
            Pass(3600);
        }

        Assert.Empty(_ends);
    }

    [Fact]
    public void After_the_end_nothing_is_watched()
    {
        MinDataRateMonitor pace = Watch(Settings);
        pace.StartWaiting();
        pace.Dispose();
        pace.StopWaiting();
        pace.StartWaiting();
        Pass(3600);
        Assert.Empty(_ends);
    }

    private MinDataRateMonitor Watch(EngineSettings settings) => new(_time, settings, _ends.Add);

    private void Pass(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
