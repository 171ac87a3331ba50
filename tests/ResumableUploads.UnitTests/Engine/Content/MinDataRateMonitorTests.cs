using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.UnitTests.Engine.Content;

public class MinDataRateMonitorTests
{
    private static readonly EngineSettings Settings = TestSettings.Default with
    {
        IdleTimeout = TimeSpan.FromSeconds(60),
        MinDataRate = 100,
        MinDataRatePeriod = TimeSpan.FromSeconds(40),
    };

    private readonly FakeTimeProvider _time = new();
    private readonly List<BodyEndReason> _violations = [];

    [Fact]
    public void No_bytes_for_the_idle_timeout_reports_IdleTimeout()
    {
        using MinDataRateMonitor monitor = CreateMonitor(Settings with { MinDataRate = 0 });
        monitor.StartWaiting();
        Advance(59);
        Assert.Empty(_violations);
        Advance(16);
        Assert.Equal(BodyEndReason.IdleTimeout, _violations[0]);
    }

    [Fact]
    public void Occasional_bytes_without_min_data_rate_report_nothing()
    {
        using MinDataRateMonitor monitor = CreateMonitor(Settings with { MinDataRate = 0 });
        for (int i = 0; i < 20; i++)
        {
            monitor.StartWaiting();
            Advance(50);
            monitor.StopWaiting();
            monitor.AddBytes(1);
        }

        Assert.Empty(_violations);
    }

    [Fact]
    public void Bytes_below_min_data_rate_report_BelowMinDataRate()
    {
        using MinDataRateMonitor monitor = CreateMonitor(Settings);
        for (int i = 0; i < 50 && _violations.Count == 0; i++)
        {
            monitor.StartWaiting();
            Advance(1);
            monitor.StopWaiting();
            monitor.AddBytes(99);
        }

        monitor.StartWaiting();
        Advance(10);
        Assert.Equal(BodyEndReason.BelowMinDataRate, _violations[0]);
    }

    [Fact]
    public void Bytes_above_min_data_rate_report_nothing_for_a_long_upload()
    {
        using MinDataRateMonitor monitor = CreateMonitor(Settings);
        for (int i = 0; i < 5000; i++)
        {
            monitor.StartWaiting();
            Advance(1);
            monitor.StopWaiting();
            monitor.AddBytes(150);
        }

        Assert.Empty(_violations);
    }

    [Fact]
    public void Burst_counts_only_in_its_own_period()
    {
        using MinDataRateMonitor monitor = CreateMonitor(Settings);
        monitor.StartWaiting();
        Advance(1);
        monitor.StopWaiting();
        monitor.AddBytes(1 << 30);
        for (int i = 0; i < 200 && _violations.Count == 0; i++)
        {
            monitor.StartWaiting();
            Advance(1);
            monitor.StopWaiting();
            monitor.AddBytes(1);
        }

        Assert.Equal(BodyEndReason.BelowMinDataRate, _violations[0]);
    }

    [Fact]
    public void Time_outside_of_reads_does_not_count()
    {
        using MinDataRateMonitor monitor = CreateMonitor(Settings);
        for (int i = 0; i < 100; i++)
        {
            monitor.StartWaiting();
            _time.Advance(TimeSpan.FromMilliseconds(1));
            monitor.StopWaiting();
            monitor.AddBytes(1);

            // The store takes an hour to write.
            Advance(3600);
        }

        Assert.Empty(_violations);
    }

    [Fact]
    public void Dispose_stops_monitoring()
    {
        MinDataRateMonitor monitor = CreateMonitor(Settings);
        monitor.StartWaiting();
        monitor.Dispose();
        monitor.StopWaiting();
        monitor.StartWaiting();
        Advance(3600);
        Assert.Empty(_violations);
    }

    private MinDataRateMonitor CreateMonitor(EngineSettings settings) => new(_time, settings, _violations.Add);

    private void Advance(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
