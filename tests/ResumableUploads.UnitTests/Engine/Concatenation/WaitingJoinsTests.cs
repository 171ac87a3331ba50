using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Concatenation;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>What is known in memory about uploads that wait for their parts.</summary>
public class WaitingJoinsTests
{
    [Fact]
    public void An_upload_is_found_by_each_of_its_parts_until_it_is_removed()
    {
        var waiting = new PendingConcatenations();
        waiting.Add(Key("whole"), [Key("a"), Key("b"), Key("a")]);
        Assert.Equal([Key("whole")], waiting.GetPendingFor(Key("a")));
        Assert.Equal([Key("whole")], waiting.GetPendingFor(Key("b")));
        Assert.Empty(waiting.GetPendingFor(Key("c")));
        Assert.Empty(waiting.GetPendingFor(new UploadKey("other", "a")));
        waiting.Remove(Key("whole"));
        Assert.Empty(waiting.GetPendingFor(Key("a")));
        Assert.Equal((0, true), (waiting.Count, waiting.IsComplete));
    }

    [Fact]
    public void Of_more_uploads_than_there_is_room_for_the_oldest_are_forgotten()
    {
        var waiting = new PendingConcatenations(maxJoined: 3);
        for (int i = 0; i < 3; i++)
        {
            waiting.Add(Key($"whole-{i}"), [Key("part")]);
        }

        Assert.True(waiting.IsComplete);
        waiting.Add(Key("whole-0"), [Key("part")]);
        waiting.Add(Key("whole-3"), [Key("part")]);
        Assert.Equal(["whole-0", "whole-2", "whole-3"], waiting.GetPendingFor(Key("part")).Select(static key => key.Id).Order());
        Assert.Equal((3, false), (waiting.Count, waiting.IsComplete));
    }

    [Fact]
    public void Of_more_parts_than_there_is_room_for_the_oldest_are_forgotten()
    {
        var waiting = new PendingConcatenations(maxParts: 10);
        waiting.Add(Key("small"), [Key("a")]);
        waiting.Add(Key("large"), Enumerable.Range(0, 10).Select(static i => Key($"part-{i}")));
        Assert.Empty(waiting.GetPendingFor(Key("a")));
        Assert.Equal([Key("large")], waiting.GetPendingFor(Key("part-9")));
        waiting.Remove(Key("large"));
        waiting.Add(Key("next"), Enumerable.Range(0, 10).Select(static i => Key($"part-{i}")));
        Assert.Equal(1, waiting.Count);
    }

    private static UploadKey Key(string id) => new("owner", id);
}
