using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine.Diagnostics;

namespace ResumableUploads.UnitTests.Engine.Diagnostics;

public class UploadActivityTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly UploadActivity _activity;

    public UploadActivityTests() => _activity = new UploadActivity(_time);

    [Fact]
    public void Refusals_are_counted_by_problem_type()
    {
        _activity.Refused("busy");
        _activity.Refused("not-found");
        _activity.Refused("busy");
        Assert.Equal(new Dictionary<string, long> { ["busy"] = 2, ["not-found"] = 1 }, _activity.Refusals);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(59, 1)]
    [InlineData(60, 0)]
    [InlineData(61, 0)]
    [InlineData(100_000, 0)]
    public void Count_leaves_the_ring_after_an_hour(int minutes, int expected)
    {
        _activity.Refused("busy");
        _activity.Preempted();
        _time.Advance(TimeSpan.FromMinutes(minutes));
        Assert.Equal(expected, _activity.Preemptions);
        Assert.Equal(expected, _activity.Refusals.GetValueOrDefault("busy"));
    }

    [Fact]
    public void Counts_of_each_minute_leave_the_ring_separately()
    {
        for (int minute = 0; minute < 90; minute++)
        {
            _activity.Preempted();
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(59, _activity.Preemptions);
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(29, _activity.Preemptions);
    }

    [Fact]
    public void Number_of_problem_types_is_bounded()
    {
        for (int i = 0; i < 1000; i++)
        {
            _activity.Refused(i.ToString(CultureInfo.InvariantCulture));
        }

        IReadOnlyDictionary<string, long> refusals = _activity.Refusals;
        Assert.Equal(UploadActivity.MaxProblemTypes, refusals.Count);
        Assert.Equal(1000, refusals.Values.Sum());
        Assert.Equal(1001 - UploadActivity.MaxProblemTypes, refusals[UploadActivity.OtherProblems]);
    }

    [Fact]
    public void Active_appends_are_those_that_have_not_finished()
    {
        _activity.AppendStarted();
        _activity.AppendStarted();
        _activity.AppendFinished();
        Assert.Equal(1, _activity.ActiveAppends);
    }
}
