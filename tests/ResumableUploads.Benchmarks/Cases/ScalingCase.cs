using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Whether a request costs more where there are many uploads: two servers, one with few. And whether it does at the end of a large one: one server, two uploads.</summary>
internal static class ScalingCase
{
    private const int Few = 10;
    private const int Many = 1_000_000;
    private const int ManyInQuickMode = 50_000;
    private const long ReceivedLength = 100_000;
    private const long Small = 1L << 30;
    private const long Large = 100L << 30;
    private const int WarmUps = 6;
    private const int Sides = 2;
    private const double MinRatio = 0.9;

    private static readonly ScalingOperation[] UploadOperations =
    [
        new("status", static (side, slice) => side.Status(slice)),
        new("append of 1 KiB", static (side, slice) => side.Append(slice)),
        new("last byte", static (side, slice) => side.Finish(slice)),
    ];

    private static readonly ScalingOperation[] AllOperations = [.. UploadOperations, new("file in one request", static (side, slice) => side.SingleRequest(slice))];

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        int count = run.Quick ? ManyInQuickMode : Many;
        long left = (long)Sides * (UploadOperations.Length + AllOperations.Length) * (WarmUps + run.Rounds) * ScalingClient.MaxRemainingUploads;
        if (PrefilledStore.GetCapacityProblem(count + left, workDirectory.Root) is { } reason)
        {
            report.AddMissing("growth", reason);
            return;
        }

        CompareMany(count, run, workDirectory, report);
        CompareLarge(run, workDirectory, report);
    }

    private static void CompareMany(int count, BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        using var manyUploads = new PrefilledStore(workDirectory.CreateSubdirectory("many"));
        using var fewUploads = new PrefilledStore(workDirectory.CreateSubdirectory("few"));
        manyUploads.Fill(count);
        fewUploads.Fill(Few);
        using ServerProcess atMany = manyUploads.Serve();
        using ServerProcess atFew = fewUploads.Serve();
        var many = new ScalingClient(atMany, manyUploads, ReceivedLength);
        var few = new ScalingClient(atFew, fewUploads, ReceivedLength);
        foreach (ScalingOperation work in AllOperations)
        {
            Compare($"growth: {work.Name}, {count:N0} uploads beside {Few}", work, many, few, run, report);
        }
    }

    private static void CompareLarge(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        using var uploads = new PrefilledStore(workDirectory.CreateSubdirectory("large"));
        using ServerProcess server = uploads.Serve();
        var large = new ScalingClient(server, uploads, Large);
        var small = new ScalingClient(server, uploads, Small);
        foreach (ScalingOperation work in UploadOperations)
        {
            Compare($"growth: {work.Name}, {Large >> 30} GiB beside {Small >> 30} GiB", work, large, small, run, report);
        }
    }

    private static void Compare(string name, ScalingOperation work, ScalingClient one, ScalingClient other, BenchmarkArguments run, Report report)
    {
        InterleavedRounds<RequestLoopResult> rounds = InterleavedRounds<RequestLoopResult>.Measure(WarmUps, run.Rounds, () => work.Run(one, run.SliceDuration), () => work.Run(other, run.SliceDuration));
        report.Add(name, "requests/s", "0", rounds.Compare(0, 1, static asked => asked.RequestsPerSecond), atLeast: MinRatio);
        report.Add(name, "server CPU, µs per request", "0.0", rounds.Compare(0, 1, static asked => asked.ProcessorTimePerRequest));
    }

    /// <summary>Something that is asked for over and over.</summary>
    private sealed record ScalingOperation(string Name, Func<ScalingClient, TimeSpan, RequestLoopResult> Run);
}
