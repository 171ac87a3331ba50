using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Compares requests to a server with many uploads and to one with few, and requests to a large and to a small upload of one server.</summary>
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
        new("status", static (client, duration) => client.Status(duration)),
        new("append of 1 KiB", static (client, duration) => client.Append(duration)),
        new("last byte", static (client, duration) => client.Finish(duration)),
    ];

    private static readonly ScalingOperation[] AllOperations = [.. UploadOperations, new("file in one request", static (client, duration) => client.SingleRequest(duration))];

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        int count = run.Quick ? ManyInQuickMode : Many;
        long remaining = (long)Sides * (UploadOperations.Length + AllOperations.Length) * (WarmUps + run.Rounds) * ScalingClient.MaxRemainingUploads;
        if (PrefilledStore.GetCapacityProblem(count + remaining, workDirectory.Root) is { } reason)
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
        foreach (ScalingOperation operation in AllOperations)
        {
            Compare($"growth: {operation.Name}, {count:N0} uploads vs. {Few}", operation, many, few, run, report);
        }
    }

    private static void CompareLarge(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        using var uploads = new PrefilledStore(workDirectory.CreateSubdirectory("large"));
        using ServerProcess server = uploads.Serve();
        var large = new ScalingClient(server, uploads, Large);
        var small = new ScalingClient(server, uploads, Small);
        foreach (ScalingOperation operation in UploadOperations)
        {
            Compare($"growth: {operation.Name}, {Large >> 30} GiB vs. {Small >> 30} GiB", operation, large, small, run, report);
        }
    }

    private static void Compare(string name, ScalingOperation operation, ScalingClient one, ScalingClient other, BenchmarkArguments run, Report report)
    {
        InterleavedRounds<RequestLoopResult> rounds = InterleavedRounds<RequestLoopResult>.Measure(WarmUps, run.Rounds, () => operation.Run(one, run.SliceDuration), () => operation.Run(other, run.SliceDuration));
        report.Add(name, "requests/s", "0", rounds.Compare(0, 1, static result => result.RequestsPerSecond), atLeast: MinRatio);
        report.Add(name, "server CPU, µs per request", "0.0", rounds.Compare(0, 1, static result => result.ProcessorTimePerRequest));
    }

    /// <summary>A repeated request.</summary>
    private sealed record ScalingOperation(string Name, Func<ScalingClient, TimeSpan, RequestLoopResult> Run);
}
