using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Concatenation;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

public class PendingConcatenationsTests
{
    [Fact]
    public void GetPendingFor_finds_concatenation_by_each_part_until_removed()
    {
        var pending = new PendingConcatenations();
        pending.Add(Key("whole"), [Key("a"), Key("b"), Key("a")]);
        Assert.Equal([Key("whole")], pending.GetPendingFor(Key("a")));
        Assert.Equal([Key("whole")], pending.GetPendingFor(Key("b")));
        Assert.Empty(pending.GetPendingFor(Key("c")));
        Assert.Empty(pending.GetPendingFor(new UploadKey("other", "a")));
        pending.Remove(Key("whole"));
        Assert.Empty(pending.GetPendingFor(Key("a")));
        Assert.Equal((0, 0), pending.Count);
    }

    [Fact]
    public void Add_beyond_max_concatenations_evicts_oldest()
    {
        var pending = new PendingConcatenations(maxConcatenations: 3);
        for (int i = 0; i < 3; i++)
        {
            pending.Add(Key($"whole-{i}"), [Key("part")]);
        }

        pending.Add(Key("whole-0"), [Key("part")]);
        pending.Add(Key("whole-3"), [Key("part")]);
        Assert.Equal(["whole-0", "whole-2", "whole-3"], pending.GetPendingFor(Key("part")).Select(static key => key.Id).Order());
        Assert.Equal((3, 1), pending.Count);
    }

    [Fact]
    public void Add_beyond_max_parts_evicts_oldest()
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
