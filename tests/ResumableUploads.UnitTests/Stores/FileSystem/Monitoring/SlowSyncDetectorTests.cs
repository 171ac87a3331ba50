using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.FileSystem.Monitoring;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Monitoring;

public sealed class SlowSyncDetectorTests
{
    private const int Slow = 114;
    private const int FastAgain = 115;

    private readonly FakeTimeProvider _time = new();
    private readonly LogList _logs = new();
    private readonly SlowSyncDetector _detector;

    public SlowSyncDetectorTests() => _detector = new SlowSyncDetector("/uploads", _time, _logs);

    private int[] Events => [.. _logs.Lines.Select(static line => line.Id)];

    [Fact]
    public void Slow_syncs_are_logged_after_a_minute()
    {
        Sync(99, milliseconds: 600);
        Assert.Empty(Events);
        Sync(1, milliseconds: 900);
        Assert.Equal(
            (LogLevel.Warning, Slow, "The disk of the upload directory /uploads is slow: 100 of 100 syncs in the last 60 seconds took more than 500 ms, the slowest one 900 ms. "
                + "Uploads wait for them. Check the disk and what else uses it."),
            Assert.Single(_logs.Lines));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(5)]
    [InlineData(0.1)]
    public void Syncs_up_to_the_threshold_are_not_logged(double milliseconds)
    {
        SyncFor(TimeSpan.FromMinutes(5), milliseconds);
        Assert.Empty(Events);
    }

    [Fact]
    public void Minute_is_slow_if_more_than_half_of_its_syncs_are_slow()
    {
        for (int i = 0; i < 200; i++)
        {
            Sync(1, milliseconds: 20);
            Sync(1, milliseconds: 600);
        }

        Assert.Empty(Events);
        for (int i = 0; i < 50; i++)
        {
            Sync(2, milliseconds: 600);
            Sync(1, milliseconds: 20);
        }

        Assert.Equal([Slow], Events);
    }

    [Fact]
    public void Syncs_without_anything_to_write_do_not_count()
    {
        for (int i = 0; i < 110; i++)
        {
            Sync(1, milliseconds: 600);
            Sync(5, milliseconds: 0.1);
        }

        Assert.Equal([Slow], Events);
    }

    [Fact]
    public void Sync_that_hangs_for_a_minute_is_logged_when_it_returns()
    {
        Sync(1, milliseconds: 61_000);
        Assert.Equal([Slow], Events);
    }

    [Fact]
    public void Warning_is_repeated_after_ten_minutes()
    {
        SyncFor(TimeSpan.FromMinutes(10), milliseconds: 1_000);
        Assert.Equal([Slow], Events);
        SyncFor(TimeSpan.FromMinutes(1), milliseconds: 1_000);
        Assert.Equal([Slow, Slow], Events);
    }

    [Fact]
    public void Fast_syncs_are_logged_once_after_slow_ones()
    {
        SyncFor(TimeSpan.FromMinutes(1), milliseconds: 1_000);
        SyncFor(TimeSpan.FromMinutes(5), milliseconds: 5);
        Assert.Equal([(LogLevel.Warning, Slow), (LogLevel.Information, FastAgain)], _logs.Lines.Select(static line => (line.Level, line.Id)));
        Assert.Equal("The disk of the upload directory /uploads is fast again: 0 of 12000 syncs in the last 60 seconds took more than 500 ms.", _logs.Lines[^1].Text);
    }

    [Fact]
    public void Disk_that_alternates_is_logged_once_in_ten_minutes()
    {
        for (int i = 0; i < 5; i++)
        {
            SyncFor(TimeSpan.FromMinutes(1), milliseconds: 1_000);
            SyncFor(TimeSpan.FromMinutes(1), milliseconds: 5);
        }

        Assert.Equal([Slow, FastAgain], Events);
        SyncFor(TimeSpan.FromMinutes(1), milliseconds: 1_000);
        Assert.Equal([Slow, FastAgain, Slow], Events);
    }

    private void SyncFor(TimeSpan time, double milliseconds) => Sync((int)(time.TotalMilliseconds / milliseconds), milliseconds);

    private void Sync(int count, double milliseconds)
    {
        for (int i = 0; i < count; i++)
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            _time.Advance(duration);
            _detector.Add(duration);
        }
    }
}
