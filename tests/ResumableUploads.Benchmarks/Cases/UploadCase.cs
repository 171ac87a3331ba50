using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures the sides of a case in interleaved rounds.</summary>
internal static class UploadCase
{
    private const int WarmUps = 2;

    /// <summary>Enough warm-ups for tiered compilation to finish.</summary>
    private const int SmallWarmUps = 12;
    private const double MiB = 1 << 20;

    public static void Measure(string name, UploadContender[] all, BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        UploadContender[] sides = [.. all.Where(side => IsAvailable(name, side, report))];
        var servers = new List<ServerProcess>();
        try
        {
            var measures = new List<Func<Sample>>();
            foreach (UploadContender side in sides)
            {
                string directory = workDirectory.CreateSubdirectory(name, side.OnTmpfs);
                ServerProcess server = ServerProcess.Start(side.CreateServeArguments(directory));
                servers.Add(server);
                measures.Add(() => MeasureOnce(server, side, directory));
            }

            InterleavedRounds<Sample> rounds = InterleavedRounds<Sample>.Measure(sides.Any(static side => side.IsSmall) ? SmallWarmUps : WarmUps, run.Rounds, [.. measures]);
            for (int i = 0; i < sides.Length; i++)
            {
                AddToReport(name, sides, i, rounds, servers[i].Peak() / MiB, report);
            }
        }
        finally
        {
            servers.ForEach(static server => server.Dispose());
        }
    }

    private static bool IsAvailable(string name, UploadContender side, Report report)
    {
        string? reason = side switch
        {
            { Kind: ServerKind.TusNode } => TusNodeServer.UnavailableReason,
            { OnTmpfs: true } when !WorkDirectory.HasTmpfs => "no tmpfs is available",
            _ => null,
        };
        if (reason is not null)
        {
            report.AddMissing($"{name}: {side.Name}", reason);
        }

        return reason is null;
    }

    private static Sample MeasureOnce(ServerProcess server, UploadContender side, string directory)
    {
        var sender = new UploadClient(server, side.Protocol, side.Workload);
        (Sample sample, IReadOnlyList<string> resources) = sender.Send();
        if (side.InMemory)
        {
            sender.Cancel(resources);
        }
        else
        {
            WorkDirectory.TruncateFiles(side.GetDataDirectory(directory));
        }

        return sample;
    }

    private static void AddToReport(string name, UploadContender[] sides, int index, InterleavedRounds<Sample> rounds, double peak, Report report)
    {
        UploadContender side = sides[index];
        double rate = rounds.Median(index, side.Rate);
        double processor = rounds.Median(index, side.Processor);
        report.AddMedians(
            new SideMedians($"{name}: {side.Name}", side.IsSmall, rate, processor, rounds.Median(index, side.Allocated), peak, rounds.Median(index, static sample => sample.P50), rounds.Median(index, static sample => sample.P99)));
        if (name == "large")
        {
            report.Chart.Add(side.Name, rate, processor);
        }

        foreach (Baseline baseline in side.Baselines)
        {
            int other = Array.FindIndex(sides, candidate => candidate.Name == baseline.Name);
            if (other >= 0)
            {
                string row = $"{name}: {side.Name} vs. {baseline.Name}";
                report.Add(row, side.IsSmall ? "uploads/s" : "MB/s", "0", rounds.Compare(index, other, side.Rate), atLeast: baseline.Rate);
                report.Add(row, side.IsSmall ? "server CPU, µs per upload" : "server CPU, s per GiB", "0.000", rounds.Compare(index, other, side.Processor), atMost: baseline.Processor);
            }
        }

        if (side.MaxAllocatedKiB is { } maxAllocated)
        {
            report.AddAbsolute($"{name}: {side.Name}", side.IsSmall ? "allocated, KiB per upload" : "allocated, KiB per GiB", "0.0", rounds.Median(index, side.Allocated), atMost: maxAllocated);
        }
    }
}
