using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Expiration;

namespace ResumableUploads.UnitTests.Engine.Clocks;

public class LeaseObserverTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Unchanged_time_begins_with_the_first_sight_of_a_version()
    {
        var observer = new LeaseObserver(_time);
        Assert.Equal(TimeSpan.Zero, observer.GetUnchangedTime(Upload("a", 1)));
        _time.Advance(Second);
        Assert.Equal(Second, observer.GetUnchangedTime(Upload("a", 1)));
        Assert.Equal(TimeSpan.Zero, observer.GetUnchangedTime(Upload("a", 2)));
        _time.Advance(Second);
        Assert.Equal(Second, observer.GetUnchangedTime(Upload("a", 2)));
    }

    [Fact]
    public void Number_of_observations_is_limited_and_unused_ones_are_removed()
    {
        var observer = new LeaseObserver(_time, maxCount: 1);
        observer.GetUnchangedTime(Upload("a", 1));
        observer.GetUnchangedTime(Upload("b", 1));
        _time.Advance(Second);
        Assert.Equal((Second, TimeSpan.Zero), (observer.GetUnchangedTime(Upload("a", 1)), observer.GetUnchangedTime(Upload("b", 1))));
        _time.Advance(TimeSpan.FromMinutes(10));
        observer.GetUnchangedTime(Upload("b", 1));
        _time.Advance(Second);
        Assert.Equal(Second, observer.GetUnchangedTime(Upload("b", 1)));
    }

    [Fact]
    public void Early_visit_is_due_at_the_earlier_of_two_times_and_only_once()
    {
        var visits = new EarlyVisits(_time, maxCount: 1);
        visits.Add(new UploadKey("owner", "a"), 3 * Second);
        visits.Add(new UploadKey("owner", "a"), 2 * Second);
        visits.Add(new UploadKey("owner", "a"), 4 * Second);
        visits.Add(new UploadKey("owner", "b"), Second);
        _time.Advance(Second);
        Assert.Empty(visits.TakeDue());
        _time.Advance(Second);
        Assert.Equal([new UploadKey("owner", "a")], visits.TakeDue());
        Assert.Empty(visits.TakeDue());
    }

    private static UploadInfo Upload(string id, int version) => new()
    {
        Key = new UploadKey("owner", id),
        Version = $"{version}",
        Offset = 0,
        Record = new UploadRecord(),
        LastModified = default,
    };
}
