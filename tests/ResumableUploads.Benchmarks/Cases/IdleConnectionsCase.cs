using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>What a connection costs that waits for its client: between two requests, and in the middle of a slow upload, with small and with large blocks.</summary>
internal static class IdleConnectionsCase
{
    private const int Connections = 2000;
    private const int WarmUps = 200;
    private const int Size = 1_000_000;
    private static readonly byte[] Few = new byte[40];

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        foreach (bool isUpload in (ReadOnlySpan<bool>)[false, true])
        {
            double large = Measure(place, largeBuffers: true, isUpload);
            double small = Measure(place, largeBuffers: false, isUpload);
            report.AddAlone(
                isUpload ? "idle: 2,000 slow uploads, 64 KiB blocks beside 4 KiB" : "idle: 2,000 kept connections, 64 KiB blocks beside 4 KiB",
                "private resident KiB each", "0.0", large, small);
        }
    }

    private static double Measure(WorkPlace place, bool largeBuffers, bool isUpload)
    {
        using ServerProcess server = ServerProcess.Start(new ServeArguments(ServerKind.Ours, place.NewDirectory("idle"), LargeBuffers: largeBuffers));
        Open(server, "warm", WarmUps, isUpload).ForEach(static wire => wire.Dispose());
        long idle = server.Memory().PrivatePages;
        List<Wire> wires = Open(server, "idle", Connections, isUpload);
        long busy = server.Memory().PrivatePages;
        wires.ForEach(static wire => wire.Dispose());
        return (busy - idle) / 1024.0 / Connections;
    }

    private static List<Wire> Open(ServerProcess server, string name, int count, bool isUpload)
    {
        var wires = new List<Wire>();
        for (int i = 0; i < count; i++)
        {
            Wire wire = Wire.Open(server.Port);
            wires.Add(wire);
            if (isUpload)
            {
                wire.Send(Wire.Head("POST /upload", $"X-File-Id: {name}-{i}", $"X-File-Size: {Size}", $"Content-Length: {Size}", "Expect: 100-continue"));
                wire.Read().Expect(100);
                wire.Send(Few);
            }
            else
            {
                wire.Get("/control/cpu").Expect(200);
            }
        }

        return wires;
    }
}
