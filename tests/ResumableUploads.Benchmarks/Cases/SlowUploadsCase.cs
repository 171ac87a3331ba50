using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>What a server holds for each of many uploads that go on slowly, all at a time.</summary>
internal static class SlowUploadsCase
{
    private const int Uploads = 5000;

    /// <summary>Each has four handles open there, and many systems let a process have 20,000 of them.</summary>
    private const int UploadsOfPowerLoss = 4000;
    private const int WarmUps = 100;
    private const int Rounds = 5;
    private const int Size = 1_000_000;
    private const double MaxKiB = 40;
    private static readonly byte[] Few = new byte[40];

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        Compare(run, place, report, Uploads, "slow uploads", Durability.Process);
        if (!run.Quick)
        {
            Compare(run, place, report, UploadsOfPowerLoss, "slow uploads, PowerLoss", Durability.PowerLoss);
        }
    }

    private static void Compare(RunArguments run, WorkPlace place, Report report, int count, string what, Durability durability)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}");
        int times = run.Quick ? 1 : 3;
        MemoryUse[] ours = [.. Enumerable.Range(0, times).Select(_ => Measure(place, ServerKind.Ours, durability, count))];
        MemoryUse[] bare = [.. Enumerable.Range(0, times).Select(_ => Measure(place, ServerKind.Bare, durability, count))];
        report.AddAlone(name, "managed KiB each", "0.0", KiB(ours, count, static use => use.Managed), KiB(bare, count, static use => use.Managed), MaxKiB);
        report.AddAlone(
            name, "private resident KiB each", "0.0", KiB(ours, count, static use => use.PrivatePages), KiB(bare, count, static use => use.PrivatePages), MaxKiB);
    }

    private static double KiB(MemoryUse[] uses, int count, Func<MemoryUse, long> of) =>
        Statistics.Percentile(uses.Select(use => of(use) / 1024.0 / count), 50);

    private static MemoryUse Measure(WorkPlace place, ServerKind kind, Durability durability, int count)
    {
        using ServerProcess server = ServerProcess.Start(new ServeArguments(kind, place.NewDirectory("slow"), durability));

        // Code that runs for the first time takes memory too, which is no upload's.
        Finish(Begin(server, "warm", WarmUps, Few.Length * Rounds));
        MemoryUse idle = server.Memory();
        List<Wire> wires = Begin(server, "slow", count, Size);
        MemoryUse busy = server.Memory();
        wires.ForEach(static wire => wire.Dispose());
        return new MemoryUse(busy.Managed - idle.Managed, busy.PrivatePages - idle.PrivatePages);
    }

    private static List<Wire> Begin(ServerProcess server, string name, int count, int size)
    {
        var wires = new List<Wire>();
        for (int i = 0; i < count; i++)
        {
            Wire wire = Wire.Open(server.Port);
            wires.Add(wire);
            wire.Send(Wire.Head(
                "POST /upload", $"X-File-Id: {name}-{i}", $"X-File-Size: {size}", $"Content-Length: {size}", "Expect: 100-continue"));

            // It comes when the server begins to read the body: from here on the upload goes on.
            wire.Read().Expect(100);
        }

        for (int round = 0; round < Rounds; round++)
        {
            foreach (Wire wire in wires)
            {
                wire.Send(Few);
            }
        }

        return wires;
    }

    private static void Finish(List<Wire> wires)
    {
        foreach (Wire wire in wires)
        {
            wire.Read().Expect(200);
            wire.Dispose();
        }
    }
}
