using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures the sides of a case in turns.</summary>
internal static class UploadCase
{
    private const int WarmUps = 2;

    /// <summary>So many that the framework's compiler is done with what small uploads call again and again.</summary>
    private const int SmallWarmUps = 12;
    private const double MiB = 1 << 20;

    public static void Measure(string name, UploadSide[] all, RunArguments run, WorkPlace place, Report report)
    {
        UploadSide[] sides = [.. all.Where(side => IsHere(name, side, report))];
        var servers = new List<ServerProcess>();
        try
        {
            var measures = new List<Func<Sample>>();
            foreach (UploadSide side in sides)
            {
                string directory = place.NewDirectory(name, side.OnTmpfs);
                ServerProcess server = ServerProcess.Start(side.ServeIn(directory));
                servers.Add(server);
                measures.Add(() => Once(server, side, directory));
            }

            Rounds<Sample> rounds = Rounds<Sample>.Measure(sides.Any(static side => side.IsSmall) ? SmallWarmUps : WarmUps, run.Rounds, [.. measures]);
            for (int i = 0; i < sides.Length; i++)
            {
                Tell(name, sides, i, rounds, servers[i].Peak() / MiB, report);
            }
        }
        finally
        {
            servers.ForEach(static server => server.Dispose());
        }
    }

    private static bool IsHere(string name, UploadSide side, Report report)
    {
        string? reason = side switch
        {
            { Kind: ServerKind.TusNode } => TusNode.WhyMissing,
            { OnTmpfs: true } when !WorkPlace.HasTmpfs => "there is no tmpfs here",
            _ => null,
        };
        if (reason is not null)
        {
            report.AddMissing($"{name}: {side.Name}", reason);
        }

        return reason is null;
    }

    private static Sample Once(ServerProcess server, UploadSide side, string directory)
    {
        var sender = new Sender(server, side.Protocol, side.Shape);
        (Sample sample, IReadOnlyList<string> places) = sender.Send();
        if (side.InMemory)
        {
            sender.Cancel(places);
        }
        else
        {
            WorkPlace.Empty(side.DataIn(directory));
        }

        return sample;
    }

    private static void Tell(string name, UploadSide[] sides, int index, Rounds<Sample> rounds, double peak, Report report)
    {
        UploadSide side = sides[index];
        double rate = rounds.Median(index, side.Rate);
        double processor = rounds.Median(index, side.Processor);
        report.AddFigures(
            new Figures($"{name}: {side.Name}", side.IsSmall, rate, processor, rounds.Median(index, side.Allocated), peak, rounds.Median(index, static sample => sample.P50), rounds.Median(index, static sample => sample.P99)));
        if (name == "large")
        {
            report.Chart.Add(side.Name, rate, processor);
        }

        foreach (Beside beside in side.Besides)
        {
            int other = Array.FindIndex(sides, candidate => candidate.Name == beside.Name);
            if (other >= 0)
            {
                string row = $"{name}: {side.Name}, beside {beside.Name}";
                report.Add(row, side.IsSmall ? "uploads/s" : "MB/s", "0", rounds.Compare(index, other, side.Rate), atLeast: beside.Rate);
                report.Add(row, side.IsSmall ? "server CPU, µs per upload" : "server CPU, s per GiB", "0.000", rounds.Compare(index, other, side.Processor), atMost: beside.Processor);
            }
        }

        if (side.MaxAllocatedKiB is { } most)
        {
            report.AddAlone($"{name}: {side.Name}", side.IsSmall ? "allocated, KiB per upload" : "allocated, KiB per GiB", "0.0", rounds.Median(index, side.Allocated), atMost: most);
        }
    }
}
