using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Many small files, each in one request, several at a time.</summary>
internal static class SmallUploadsCase
{
    private const int Connections = 16;
    private const int WarmUps = 2;
    private const int Size = 64 * 1024;
    private static int s_names;

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        Compare(run, place, report, "64 KiB uploads, 16 at a time", Durability.Process);
        Compare(run, place, report, "64 KiB uploads, 16 at a time, PowerLoss beside one sync", Durability.PowerLoss);
    }

    private static void Compare(RunArguments run, WorkPlace place, Report report, string name, Durability durability)
    {
        int each = (run.Quick ? 50 : 150) / (durability == Durability.PowerLoss ? 5 : 1);
        string ours = place.NewDirectory("ours");
        string bare = place.NewDirectory("bare");
        using ServerProcess ourServer = ServerProcess.Start(new ServeArguments(ServerKind.Ours, ours, durability));
        using ServerProcess bareServer = ServerProcess.Start(new ServeArguments(ServerKind.Bare, bare, durability));
        Paired<Sample> pairs = Paired<Sample>.Measure(
            WarmUps,
            run.Pairs,
            ours: () =>
            {
                Sample sample = Send(ourServer, "/upload", each);
                WorkPlace.Empty(Path.Combine(ours, "store", "uploads"));
                return sample;
            },
            bare: () =>
            {
                Sample sample = Send(bareServer, "/small", each);
                WorkPlace.Empty(bare);
                return sample;
            });
        report.Add(name, "uploads/s", "0", pairs.Compare(static sample => sample.Rate));
        report.Add(name, "server CPU, µs per upload", "0", pairs.Compare(static sample => sample.ProcessorTime));
    }

    private static Sample Send(ServerProcess server, string path, int each)
    {
        Wire[] wires = [.. Enumerable.Range(0, Connections).Select(_ => Wire.Open(server.Port))];
        byte[] body = new byte[Size];
        TimeSpan before = server.ProcessorTime();
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. wires.Select(wire => new Thread(() =>
        {
            for (int i = 0; i < each; i++)
            {
                wire.Send(Wire.Head($"POST {path}", $"X-File-Id: {Interlocked.Increment(ref s_names)}", $"X-File-Size: {Size}", $"Content-Length: {Size}"));
                wire.Send(body);
                wire.Read().Expect(200);
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        TimeSpan used = server.ProcessorTime() - before;
        Array.ForEach(wires, static wire => wire.Dispose());
        int count = each * Connections;
        return new Sample(count / elapsed.TotalSeconds, used.TotalMicroseconds / count);
    }

    private readonly record struct Sample(double Rate, double ProcessorTime);
}
