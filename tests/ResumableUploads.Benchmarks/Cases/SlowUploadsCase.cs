using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures the memory of the server for many concurrent slow uploads.</summary>
internal static class SlowUploadsCase
{
    private const int Uploads = 5000;

    /// <summary>With <c>PowerLoss</c> each upload has four open handles, and many systems limit a process to 20,000.</summary>
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

    private static void Compare(BenchmarkArguments run, WorkDirectory workDirectory, Report report, int count, string label, Durability durability)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{count:N0} {label}");
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

        // Warm up, so that the memory of compiled code is not counted.
        Finish(Begin(server, "warm", WarmUps, FirstBytes.Length * Rounds));
        MemoryUse idle = server.Memory();
        List<RawHttpConnection> connections = Begin(server, "slow", count, Size);
        MemoryUse busy = server.Memory();
        connections.ForEach(static connection => connection.Dispose());
        return new MemoryUse(busy.Managed - idle.Managed, busy.PrivatePages - idle.PrivatePages);
    }

    private static List<RawHttpConnection> Begin(ServerProcess server, string name, int count, int size)
    {
        var connections = new List<RawHttpConnection>();
        for (int i = 0; i < count; i++)
        {
            RawHttpConnection connection = RawHttpConnection.Open(server.Port);
            connections.Add(connection);
            connection.Send(RawHttpConnection.CreateRequestHead(
                "POST /upload", $"X-File-Id: {name}-{i}", $"X-File-Size: {size}", $"Content-Length: {size}", "Expect: 100-continue"));

            // The server sends 100 Continue when it starts to read the body.
            connection.ReadResponse().ExpectStatus(100);
        }

        for (int round = 0; round < Rounds; round++)
        {
            foreach (RawHttpConnection connection in connections)
            {
                connection.Send(FirstBytes);
            }
        }

        return connections;
    }

    private static void Finish(List<RawHttpConnection> connections)
    {
        foreach (RawHttpConnection connection in connections)
        {
            connection.ReadResponse().ExpectStatus(200);
            connection.Dispose();
        }
    }
}
