using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>What a server holds for each of many uploads that go on slowly, all at a time.</summary>
internal static class SlowUploadsCase
{
    private const int Uploads = 5000;

    /// <summary>Each has four handles open there, and many systems let a process have 20,000 of them.</summary>
    private const int PowerLossUploads = 4000;
    private const int WarmUps = 100;
    private const int Rounds = 5;
    private const int Size = 1_000_000;
    private const double MaxKiB = 40;
    private static readonly byte[] FirstBytes = new byte[40];

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        Compare(run, workDirectory, report, Uploads, "slow uploads", Durability.ProcessCrash);
        if (!run.Quick)
        {
            Compare(run, workDirectory, report, PowerLossUploads, "slow uploads, PowerLoss", Durability.PowerLoss);
        }
    }

    private static void Compare(BenchmarkArguments run, WorkDirectory workDirectory, Report report, int count, string what, Durability durability)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}");
        int times = run.Quick ? 1 : 3;
        MemoryUse[] ours = [.. Enumerable.Range(0, times).Select(_ => Measure(workDirectory, ServerKind.Ours, durability, count))];
        MemoryUse[] bare = [.. Enumerable.Range(0, times).Select(_ => Measure(workDirectory, ServerKind.Bare, durability, count))];
        report.AddAbsolute(name, "managed KiB each", "0.0", KiB(ours, count, static use => use.Managed), KiB(bare, count, static use => use.Managed), MaxKiB);
        report.AddAbsolute(
            name, "private resident KiB each", "0.0", KiB(ours, count, static use => use.PrivatePages), KiB(bare, count, static use => use.PrivatePages), MaxKiB);
    }

    private static double KiB(MemoryUse[] uses, int count, Func<MemoryUse, long> of) =>
        Statistics.Percentile(uses.Select(use => of(use) / 1024.0 / count), 50);

    private static MemoryUse Measure(WorkDirectory workDirectory, ServerKind kind, Durability durability, int count)
    {
        using ServerProcess server = ServerProcess.Start(new ServeArguments(kind, workDirectory.CreateSubdirectory("slow"), durability));

        // Code that runs for the first time takes memory too, which is no upload's.
        Finish(Begin(server, "warm", WarmUps, FirstBytes.Length * Rounds));
        MemoryUse idle = server.Memory();
        List<RawHttpConnection> wires = Begin(server, "slow", count, Size);
        MemoryUse busy = server.Memory();
        wires.ForEach(static connection => connection.Dispose());
        return new MemoryUse(busy.Managed - idle.Managed, busy.PrivatePages - idle.PrivatePages);
    }

    private static List<RawHttpConnection> Begin(ServerProcess server, string name, int count, int size)
    {
        var wires = new List<RawHttpConnection>();
        for (int i = 0; i < count; i++)
        {
            RawHttpConnection connection = RawHttpConnection.Open(server.Port);
            wires.Add(connection);
            connection.Send(RawHttpConnection.CreateRequestHead(
                "POST /upload", $"X-File-Id: {name}-{i}", $"X-File-Size: {size}", $"Content-Length: {size}", "Expect: 100-continue"));

            // It comes when the server begins to read the body: from here on the upload goes on.
            connection.ReadResponse().ExpectStatus(100);
        }

        for (int round = 0; round < Rounds; round++)
        {
            foreach (RawHttpConnection connection in wires)
            {
                connection.Send(FirstBytes);
            }
        }

        return wires;
    }

    private static void Finish(List<RawHttpConnection> wires)
    {
        foreach (RawHttpConnection connection in wires)
        {
            connection.ReadResponse().ExpectStatus(200);
            connection.Dispose();
        }
    }
}
