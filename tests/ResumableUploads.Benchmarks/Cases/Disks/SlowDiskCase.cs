using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>Measures unrelated requests and acknowledged chunks on a disk that takes 300 ms for a sync.</summary>
internal static class SlowDiskCase
{
    private const int LargeBodies = 4;
    private const int FewClients = 100;
    private const int ManyClients = 1000;
    private const int RoundsOfFullRun = 3;
    private const double MaxP99 = 50;
    private const double MaxP99Ratio = 3;
    private const double MinChunks = 0.8;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(5);

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        if (SyncDelay.UnavailableReason is { } reason)
        {
            report.AddMissing("slow-disk", reason);
            return;
        }

        foreach (int clients in (ReadOnlySpan<int>)[FewClients, ManyClients])
        {
            foreach (int bodies in (ReadOnlySpan<int>)[0, LargeBodies])
            {
                Compare(clients, bodies, run, workDirectory, report);
            }
        }
    }

    private static void Compare(int clients, int bodies, BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        InterleavedRounds<SlowDiskSample> rounds = InterleavedRounds<SlowDiskSample>.Measure(
            0,
            run.RequestedRounds ?? (run.Quick ? 1 : RoundsOfFullRun),
            () => Measure(ServerKind.Ours, clients, bodies, run, workDirectory),
            () => Measure(ServerKind.Bare, clients, bodies, run, workDirectory));
        bool hasTarget = clients == FewClients;
        string name = string.Create(CultureInfo.InvariantCulture, $"slow-disk: {clients:N0} clients{(bodies > 0 ? $", {bodies} large bodies" : "")}");
        AddLatencies(name + ", uploads vs. none", 0, rounds, report, hasTarget ? MaxP99Ratio : null);
        AddLatencies(name + ", uploads vs. none, bare server", 1, rounds, report, maxP99Ratio: null);
        name += " vs. bare server";
        report.AddAbsolute(
            name, "GET p99, ms", "0.00", rounds.Median(0, static sample => sample.With.P99), rounds.Median(1, static sample => sample.With.P99), atMost: hasTarget ? MaxP99 : null);
        report.Add(name, "chunks/s", "0.0", rounds.Compare(0, 1, static sample => sample.ChunksPerSecond));
        double possible = clients / Delay.TotalSeconds;
        report.AddAbsolute(
            name, $"chunks, ratio to {possible:0}/s", "0.00", rounds.Median(0, sample => sample.ChunksPerSecond / possible), rounds.Median(1, sample => sample.ChunksPerSecond / possible),
            atLeast: hasTarget ? MinChunks : null);
        if (bodies > 0)
        {
            report.Add(name, "large bodies, MB/s", "0.0", rounds.Compare(0, 1, static sample => sample.LargeMegabytesPerSecond));
        }
    }

    private static void AddLatencies(string name, int side, InterleavedRounds<SlowDiskSample> rounds, Report report, double? maxP99Ratio)
    {
        report.Add(name, "GET p50, ms", "0.00", rounds.CompareWithin(side, static sample => sample.With.P50, static sample => sample.Without.P50));
        report.Add(name, "GET p99, ms", "0.00", rounds.CompareWithin(side, static sample => sample.With.P99, static sample => sample.Without.P99), atMost: maxP99Ratio);
        report.Add(name, "GET maximum, ms", "0.00", rounds.CompareWithin(side, static sample => sample.With.Max, static sample => sample.Without.Max));
    }

    private static SlowDiskSample Measure(ServerKind kind, int clientCount, int bodyCount, BenchmarkArguments run, WorkDirectory workDirectory)
    {
        var arguments = new ServeArguments(kind, workDirectory.CreateSubdirectory("slow-disk"), Durability.PowerLoss);
        var clients = new ChunkClients(kind, clientCount, pause: TimeSpan.Zero);
        using (ServerProcess fast = ServerProcess.Start(arguments))
        {
            clients.Create(fast.Port);
        }

        using ServerProcess server = ServerProcess.Start(arguments with { SyncDelay = Delay });
        RequestProbe.WarmUp(server.Port);
        Latencies without = RequestProbe.Run(server.Port, TimeSpan.FromSeconds(run.Quick ? 3 : 5), WaitTimeout);
        var bodies = new PacedBodies();
        clients.Start(server.Port);
        bodies.Start(server.Port, bodyCount);

        // The first chunks do not count: the server has to compile its code, and the requests begin to queue.
        RequestProbe.Run(server.Port, TimeSpan.FromSeconds(run.Quick ? 2 : 3), TimeSpan.Zero);
        TimeSpan duration = TimeSpan.FromSeconds(run.Quick ? 6 : 12);
        long start = Stopwatch.GetTimestamp();
        long sent = bodies.Sent;
        Latencies with = RequestProbe.Run(server.Port, duration, WaitTimeout);
        double largeRate = (bodies.Sent - sent) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        int chunks = clients.CountAcknowledged(start, PreciseSleep.After(start, duration));

        // The pending requests of a slow server could take minutes.
        server.Kill();
        clients.Stop();
        bodies.Stop();
        return new SlowDiskSample(without, with, chunks / duration.TotalSeconds, largeRate / 1e6);
    }
}

/// <summary>One measurement.</summary>
/// <param name="Without">The latencies of unrelated requests without uploads.</param>
/// <param name="With">The latencies during uploads.</param>
/// <param name="ChunksPerSecond">The acknowledged chunks per second.</param>
/// <param name="LargeMegabytesPerSecond">The throughput of the large bodies.</param>
internal sealed record SlowDiskSample(Latencies Without, Latencies With, double ChunksPerSecond, double LargeMegabytesPerSecond);
