using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Whether a request costs more where there are many uploads: two servers, one with few. And whether it does at the end of a large one: one server, two uploads.</summary>
internal static class GrowthCase
{
    private const int Few = 10;
    private const int Many = 1_000_000;
    private const int ManyOfQuick = 50_000;
    private const long Held = 100_000;
    private const long Small = 1L << 30;
    private const long Large = 100L << 30;
    private const int WarmUps = 6;
    private const int Sides = 2;
    private const double Least = 0.9;

    private static readonly Work[] AtUploads =
    [
        new("status", static (side, slice) => side.Status(slice)),
        new("append of 1 KiB", static (side, slice) => side.Append(slice)),
        new("last byte", static (side, slice) => side.Finish(slice)),
    ];

    private static readonly Work[] All = [.. AtUploads, new("file in one request", static (side, slice) => side.Whole(slice))];

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        int count = run.Quick ? ManyOfQuick : Many;
        long left = (long)Sides * (AtUploads.Length + All.Length) * (WarmUps + run.Rounds) * GrowthSide.MostLeft;
        if (FilledStore.WhyNoRoomFor(count + left, place.Root) is { } reason)
        {
            report.AddMissing("growth", reason);
            return;
        }

        CompareMany(count, run, place, report);
        CompareLarge(run, place, report);
    }

    private static void CompareMany(int count, RunArguments run, WorkPlace place, Report report)
    {
        using var manyUploads = new FilledStore(place.NewDirectory("many"));
        using var fewUploads = new FilledStore(place.NewDirectory("few"));
        manyUploads.Fill(count);
        fewUploads.Fill(Few);
        using ServerProcess atMany = manyUploads.Serve();
        using ServerProcess atFew = fewUploads.Serve();
        var many = new GrowthSide(atMany, manyUploads, Held);
        var few = new GrowthSide(atFew, fewUploads, Held);
        foreach (Work work in All)
        {
            Compare($"growth: {work.Name}, {count:N0} uploads beside {Few}", work, many, few, run, report);
        }
    }

    private static void CompareLarge(RunArguments run, WorkPlace place, Report report)
    {
        using var uploads = new FilledStore(place.NewDirectory("large"));
        using ServerProcess server = uploads.Serve();
        var large = new GrowthSide(server, uploads, Large);
        var small = new GrowthSide(server, uploads, Small);
        foreach (Work work in AtUploads)
        {
            Compare($"growth: {work.Name}, {Large >> 30} GiB beside {Small >> 30} GiB", work, large, small, run, report);
        }
    }

    private static void Compare(string name, Work work, GrowthSide one, GrowthSide other, RunArguments run, Report report)
    {
        Rounds<Asked> rounds = Rounds<Asked>.Measure(WarmUps, run.Rounds, () => work.Ask(one, run.Slice), () => work.Ask(other, run.Slice));
        report.Add(name, "requests/s", "0", rounds.Compare(0, 1, static asked => asked.Rate), atLeast: Least);
        report.Add(name, "server CPU, µs per request", "0.0", rounds.Compare(0, 1, static asked => asked.ProcessorTime));
    }

    /// <summary>Something that is asked for over and over.</summary>
    private sealed record Work(string Name, Func<GrowthSide, TimeSpan, Asked> Ask);
}
