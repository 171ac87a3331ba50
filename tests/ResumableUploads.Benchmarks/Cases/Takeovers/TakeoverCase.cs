using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.FileSystem.Format;

namespace ResumableUploads.Benchmarks.Cases.Takeovers;

/// <summary>
/// Measures a status request while a connection with a running append is silent: in the same process, and in another process on the same directory, where the
/// next append follows.
/// </summary>
internal static class TakeoverCase
{
    private const int Rounds = 200;
    private const int TwoProcessRounds = 100;
    private const int WarmUps = 20;
    private const int ChunkSize = 64 * 1024;
    private const long Size = 1L << 30;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        foreach (Durability durability in (ReadOnlySpan<Durability>)[Durability.ProcessCrash, Durability.PowerLoss])
        {
            double[] times = Measure(workDirectory, durability, Rounds, isTwoProcesses: false);
            string name = $"takeover, {durability}";
            report.AddAbsolute(name, $"ms to the status, median of {Rounds}", "0.00", Statistics.Percentile(times, 50));
            report.AddAbsolute(name, $"ms to the status, p99 of {Rounds}", "0.00", Statistics.Percentile(times, 99), atMost: durability == Durability.ProcessCrash ? 20 : null);
            times = Measure(workDirectory, durability, TwoProcessRounds, isTwoProcesses: true);
            name = $"takeover, two processes, {durability}";
            report.AddAbsolute(name, $"ms to the status, median of {TwoProcessRounds}", "0.00", Statistics.Percentile(times, 50));
            report.AddAbsolute(name, $"ms to the status, p99 of {TwoProcessRounds}", "0.00", Statistics.Percentile(times, 99), atMost: 100);
        }
    }

    private static double[] Measure(WorkDirectory workDirectory, Durability durability, int rounds, bool isTwoProcesses)
    {
        string directory = workDirectory.CreateSubdirectory("takeover");
        using ServerProcess server = ServerProcess.Start(new ServeArguments(ServerKind.Ours, directory, durability));
        using ServerProcess? other = isTwoProcesses ? ServerProcess.Start(new ServeArguments(ServerKind.Ours, directory, durability)) : null;
        using RawHttpConnection statusConnection = RawHttpConnection.Open((other ?? server).Port);
        byte[] status = RawHttpConnection.CreateRequestHead("GET /status", "X-File-Id: takeover");
        byte[] chunk = new byte[ChunkSize];
        string? data = null;
        var times = new List<double>();
        long offset = 0;
        for (int round = 0; round < WarmUps + rounds; round++)
        {
            using RawHttpConnection silent = RawHttpConnection.Open(server.Port);
            silent.Send(RawHttpConnection.CreateRequestHead(
                "POST /upload", "X-File-Id: takeover", $"X-Start-Byte: {offset}", $"X-File-Size: {Size}", $"Content-Length: {Size - offset}", "Expect: 100-continue"));
            silent.ReadResponse().ExpectStatus(100);
            silent.Send(chunk);
            data ??= Directory.GetFiles(
                new StorePaths(Path.Combine(directory, "store")).GetUploadDirectory(UploadKeyFactory.FromFileId("anonymous", "127.0.0.1\0/upload", "takeover"u8)), "*.data")[0];
            AwaitLength(data, offset + ChunkSize);

            long start = Stopwatch.GetTimestamp();
            long statusOffset = statusConnection.SendAndReceive(status).ExpectStatus(200);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (statusOffset != offset + ChunkSize)
            {
                throw new InvalidOperationException($"The status is {statusOffset} instead of {offset + ChunkSize}.");
            }

            offset += ChunkSize;
            if (other is not null)
            {
                Continue(statusConnection, chunk, offset);
                offset += ChunkSize;
                silent.SetReceiveTimeout(Timeout);
                silent.ReadFinalResponse().ExpectStatus(409);
            }

            if (round >= WarmUps)
            {
                times.Add(elapsed);
            }
        }

        return [.. times];
    }

    /// <summary>Sends the next chunk.</summary>
    private static void Continue(RawHttpConnection connection, byte[] chunk, long offset)
    {
        connection.Send(RawHttpConnection.CreateRequestHead(
            "POST /upload", "X-File-Id: takeover", $"X-Start-Byte: {offset}", $"X-File-Size: {Size}", $"Content-Length: {chunk.Length}"));
        connection.Send(chunk);
        connection.ReadFinalResponse().ExpectSuccess();
    }

    private static void AwaitLength(string path, long length)
    {
        long start = Stopwatch.GetTimestamp();
        while (new FileInfo(path).Length < length)
        {
            if (Stopwatch.GetElapsedTime(start) > Timeout)
            {
                throw new TimeoutException("The server did not write the sent bytes in time.");
            }

            Thread.Yield();
        }
    }
}
