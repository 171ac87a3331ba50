using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures the memory of idle connections and of slow uploads, with small and with large blocks.</summary>
internal static class IdleConnectionsCase
{
    private const int Connections = 2000;
    private const int WarmUps = 200;
    private const int Size = 1_000_000;
    private static readonly byte[] FirstBytes = new byte[40];

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        foreach (bool isUpload in (ReadOnlySpan<bool>)[false, true])
        {
            double large = Measure(workDirectory, largeBuffers: true, isUpload);
            double small = Measure(workDirectory, largeBuffers: false, isUpload);
            report.AddAbsolute(
                isUpload ? "idle: 2,000 slow uploads, 64 KiB blocks vs. 4 KiB" : "idle: 2,000 idle connections, 64 KiB blocks vs. 4 KiB",
                "private resident KiB each", "0.0", large, small);
        }
    }

    private static double Measure(WorkDirectory workDirectory, bool largeBuffers, bool isUpload)
    {
        using ServerProcess server = ServerProcess.Start(new ServeArguments(ServerKind.Ours, workDirectory.CreateSubdirectory("idle"), LargeBuffers: largeBuffers));
        Open(server, "warm", WarmUps, isUpload).ForEach(static connection => connection.Dispose());
        long idle = server.Memory().PrivatePages;
        List<RawHttpConnection> connections = Open(server, "idle", Connections, isUpload);
        long busy = server.Memory().PrivatePages;
        connections.ForEach(static connection => connection.Dispose());
        return (busy - idle) / 1024.0 / Connections;
    }

    private static List<RawHttpConnection> Open(ServerProcess server, string name, int count, bool isUpload)
    {
        var connections = new List<RawHttpConnection>();
        for (int i = 0; i < count; i++)
        {
            RawHttpConnection connection = RawHttpConnection.Open(server.Port);
            connections.Add(connection);
            if (isUpload)
            {
                connection.Send(RawHttpConnection.CreateRequestHead("POST /upload", $"X-File-Id: {name}-{i}", $"X-File-Size: {Size}", $"Content-Length: {Size}", "Expect: 100-continue"));
                connection.ReadResponse().ExpectStatus(100);
                connection.Send(FirstBytes);
            }
            else
            {
                connection.Get("/control/cpu").ExpectStatus(200);
            }
        }

        return connections;
    }
}
