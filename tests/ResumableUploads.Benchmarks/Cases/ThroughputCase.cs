using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>One large upload in one request over loopback.</summary>
internal static class ThroughputCase
{
    private const string Name = "large upload";
    private const int WarmUps = 3;
    private const int BlockSize = 256 * 1024;
    private static readonly byte[] Block = RandomBytes();

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        Compare(run, place, report, Name, Durability.Process, withTargets: true);
        Compare(run, place, report, $"{Name}, then MoveTo", Durability.Process, moves: true, withTargets: true);
        Compare(run, place, report, $"{Name}, PowerLoss beside one sync at the end", Durability.PowerLoss);
        Compare(run, place, report, $"{Name}, memory store beside the bare file", Durability.Process, inMemory: true);
    }

    private static void Compare(
        RunArguments run, WorkPlace place, Report report, string name, Durability durability, bool moves = false, bool inMemory = false, bool withTargets = false)
    {
        string ours = place.NewDirectory("ours");
        string bare = place.NewDirectory("bare");
        string? target = moves ? place.NewDirectory("moved") : null;
        using ServerProcess ourServer = ServerProcess.Start(new ServeArguments(ServerKind.Ours, ours, durability, target, inMemory));
        using ServerProcess bareServer = ServerProcess.Start(new ServeArguments(ServerKind.Bare, bare, durability));

        Paired<Sample> pairs = Paired<Sample>.Measure(
            WarmUps,
            run.Pairs,
            ours: () =>
            {
                Sample sample = Send(ourServer, run.LargeSize);
                Cancel(ourServer);
                if (target is not null)
                {
                    WorkPlace.Empty(target);
                }

                return sample;
            },
            bare: () =>
            {
                Sample sample = Send(bareServer, run.LargeSize);
                WorkPlace.Empty(bare);
                return sample;
            });
        report.Add(name, "MB/s", "0", pairs.Compare(static sample => sample.Rate), atLeast: withTargets ? 0.9 : null);
        report.Add(name, "server CPU, s per GiB", "0.000", pairs.Compare(static sample => sample.ProcessorTime), atMost: withTargets ? 1.15 : null);
    }

    private static Sample Send(ServerProcess server, long size)
    {
        byte[] head = Wire.Head("POST /upload", "X-File-Id: large", $"X-File-Size: {size}", $"Content-Length: {size}");
        using Wire wire = Wire.Open(server.Port);
        TimeSpan before = server.ProcessorTime();
        long start = Stopwatch.GetTimestamp();
        wire.Send(head);
        for (long sent = 0; sent < size; sent += Block.Length)
        {
            wire.Send(Block);
        }

        wire.Read().Expect(200);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        TimeSpan used = server.ProcessorTime() - before;
        return new Sample(size / elapsed.TotalSeconds / 1e6, used.TotalSeconds * (1L << 30) / size);
    }

    private static void Cancel(ServerProcess server)
    {
        using Wire wire = Wire.Open(server.Port);
        wire.Exchange(Wire.Head("DELETE /upload", "X-File-Id: large")).Expect(204);
    }

    private static byte[] RandomBytes()
    {
        byte[] bytes = new byte[BlockSize];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private readonly record struct Sample(double Rate, double ProcessorTime);
}
