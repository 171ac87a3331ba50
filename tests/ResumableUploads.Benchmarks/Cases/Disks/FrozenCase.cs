using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>Measures unrelated requests while the file system of running uploads is frozen, and checks the uploads.</summary>
internal static class FrozenCase
{
    private const int Uploads = 200;
    private const double MaxP99 = 50;
    private const double MaxP99Ratio = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FreezeLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(20);

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        (LoopDisk? disk, string? problem) = LoopDisk.TryMount(workDirectory.CreateSubdirectory("frozen"));
        if (disk is null)
        {
            report.AddMissing("frozen", problem!);
            return;
        }

        using (disk)
        {
            FrozenSample ours = Measure(ServerKind.Ours, run, disk);
            FrozenSample bare = Measure(ServerKind.Bare, run, disk);
            InterleavedRounds<FrozenSample> round = InterleavedRounds<FrozenSample>.Measure(0, 1, () => ours, () => bare);
            AddLatencies("frozen: during vs. before", 0, round, report, MaxP99Ratio);
            AddLatencies("frozen: during vs. before, bare server", 1, round, report, maxP99Ratio: null);
            report.AddAbsolute("frozen vs. bare server", "GET p99, ms", "0.00", ours.During.P99, bare.During.P99, atMost: MaxP99);
            report.AddAbsolute("frozen vs. bare server", "chunks/s before", "0.0", ours.ChunksPerSecond, bare.ChunksPerSecond);
            report.AddAbsolute("frozen vs. bare server", "chunks sent and acknowledged while frozen", "0", ours.AcknowledgedWhileFrozen, bare.AcknowledgedWhileFrozen, atMost: 0);
            report.AddAbsolute("frozen vs. bare server", $"uploads that continued, of {Uploads}", "0", ours.Continued, bare.Continued, atLeast: Uploads);
        }
    }

    private static void AddLatencies(string name, int side, InterleavedRounds<FrozenSample> round, Report report, double? maxP99Ratio)
    {
        report.Add(name, "GET p50, ms", "0.00", round.CompareWithin(side, static sample => sample.During.P50, static sample => sample.Before.P50));
        report.Add(name, "GET p99, ms", "0.00", round.CompareWithin(side, static sample => sample.During.P99, static sample => sample.Before.P99), atMost: maxP99Ratio);
        report.Add(name, "GET maximum, ms", "0.00", round.CompareWithin(side, static sample => sample.During.Max, static sample => sample.Before.Max));
    }

    private static FrozenSample Measure(ServerKind kind, BenchmarkArguments run, LoopDisk disk)
    {
        TimeSpan before = TimeSpan.FromSeconds(run.Quick ? 5 : 10);
        string directory = Directory.CreateDirectory(Path.Combine(disk.Path, kind.ToString())).FullName;
        using ServerProcess server = ServerProcess.Start(new ServeArguments(kind, directory, Durability.PowerLoss));
        var clients = new ChunkClients(kind, Uploads, Pause);
        clients.Create(server.Port);
        clients.Start(server.Port);
        try
        {
            RequestProbe.WarmUp(server.Port);
            long start = Stopwatch.GetTimestamp();
            Latencies latenciesBefore = RequestProbe.Run(server.Port, before, WaitTimeout);
            int chunksBefore = clients.CountAcknowledged(start, Stopwatch.GetTimestamp());
            Latencies during = null!;
            var probe = new Thread(() => during = RequestProbe.Run(server.Port, Frozen, WaitTimeout));
            long frozen;
            long unfrozen;
            using (disk.Freeze(FreezeLimit))
            {
                frozen = Stopwatch.GetTimestamp();
                probe.Start();
                probe.Join(Frozen);
                unfrozen = Stopwatch.GetTimestamp();
            }

            probe.Join();
            int continued = clients.WaitForAll(unfrozen, WaitTimeout);
            return new FrozenSample(latenciesBefore, during, chunksBefore / before.TotalSeconds, clients.CountSentAndAcknowledged(frozen, unfrozen), continued);
        }
        finally
        {
            clients.Stop();
        }
    }
}

/// <summary>One measurement.</summary>
/// <param name="Before">The latencies of unrelated requests before the file system was frozen, during uploads.</param>
/// <param name="During">The latencies while it was frozen.</param>
/// <param name="ChunksPerSecond">The acknowledged chunks per second before.</param>
/// <param name="AcknowledgedWhileFrozen">The number of chunks that were both sent and acknowledged while it was frozen.</param>
/// <param name="Continued">The number of uploads of which a further chunk was sent and acknowledged afterwards.</param>
internal sealed record FrozenSample(Latencies Before, Latencies During, double ChunksPerSecond, int AcknowledgedWhileFrozen, int Continued);
