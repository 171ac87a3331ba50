using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Concatenation;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>What is known in memory about uploads that wait for their parts.</summary>
public class WaitingJoinsTests
{
    [Fact]
    public void An_upload_is_found_by_each_of_its_parts_until_it_is_removed()
    {
        var pending = new PendingConcatenations();
        pending.Add(Key("whole"), [Key("a"), Key("b"), Key("a")]);
        Assert.Equal([Key("whole")], pending.GetPendingFor(Key("a")));
        Assert.Equal([Key("whole")], pending.GetPendingFor(Key("b")));
        Assert.Empty(pending.GetPendingFor(Key("c")));
        Assert.Empty(pending.GetPendingFor(new UploadKey("other", "a")));
        pending.Remove(Key("whole"));
        Assert.Empty(pending.GetPendingFor(Key("a")));
        Assert.Empty(pending.GetPendingFor(Key("b")));
        Assert.True(pending.IsComplete);
    }

    [Fact]
    public void Of_more_uploads_than_there_is_room_for_the_oldest_are_forgotten()
    {
        var pending = new PendingConcatenations(maxJoined: 3);
        for (int i = 0; i < 3; i++)
        {
            pending.Add(Key($"whole-{i}"), [Key("part")]);
        }

        Assert.True(pending.IsComplete);
        pending.Add(Key("whole-0"), [Key("part")]);
        pending.Add(Key("whole-3"), [Key("part")]);
        Assert.Equal(["whole-0", "whole-2", "whole-3"], pending.GetPendingFor(Key("part")).Select(static key => key.Id).Order());
        Assert.False(pending.IsComplete);
    }

    [Fact]
    public void Of_more_parts_than_there_is_room_for_the_oldest_are_forgotten()
    {
        var pending = new PendingConcatenations(maxParts: 10);
        pending.Add(Key("small"), [Key("a")]);
        pending.Add(Key("large"), Enumerable.Range(0, 10).Select(static i => Key($"part-{i}")));
        Assert.Empty(pending.GetPendingFor(Key("a")));
        Assert.Equal([Key("large")], pending.GetPendingFor(Key("part-9")));
        pending.Remove(Key("large"));
        pending.Add(Key("next"), Enumerable.Range(0, 10).Select(static i => Key($"part-{i}")));
        Assert.Equal([Key("next")], pending.GetPendingFor(Key("part-9")));
    }

    private static UploadKey Key(string id) => new("owner", id);
}
