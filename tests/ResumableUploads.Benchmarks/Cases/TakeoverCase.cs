using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>A sender falls silent, and the client asks for the status over another connection.</summary>
internal static class TakeoverCase
{
    private const int Rounds = 200;
    private const int WarmUps = 20;
    private const int Piece = 64 * 1024;
    private const long Size = 1L << 30;

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        foreach (Durability durability in (ReadOnlySpan<Durability>)[Durability.Process, Durability.PowerLoss])
        {
            double[] times = Measure(place, durability);
            string name = $"takeover, {durability}";
            report.AddAlone(name, $"ms to the status, median of {Rounds}", "0.00", Statistics.Percentile(times, 50));
            report.AddAlone(name, $"ms to the status, p99 of {Rounds}", "0.00", Statistics.Percentile(times, 99), atMost: durability == Durability.Process ? 20 : null);
        }
    }

    private static double[] Measure(WorkPlace place, Durability durability)
    {
        string directory = place.NewDirectory("takeover");
        using ServerProcess server = ServerProcess.Start(new ServeArguments(ServerKind.Ours, directory, durability));
        using Wire asking = Wire.Open(server.Port);
        byte[] status = Wire.Head("GET /status", "X-File-Id: takeover");
        byte[] piece = new byte[Piece];
        string? data = null;
        var times = new List<double>();
        for (int round = 0; round < WarmUps + Rounds; round++)
        {
            long offset = (long)round * Piece;
            using Wire silent = Wire.Open(server.Port);
            silent.Send(Wire.Head(
                "POST /upload", "X-File-Id: takeover", $"X-Start-Byte: {offset}", $"X-File-Size: {Size}", $"Content-Length: {Size - offset}", "Expect: 100-continue"));
            silent.Read().Expect(100);
            silent.Send(piece);
            data ??= Directory.GetFiles(
                new UploadPaths(Path.Combine(directory, "store")).Upload(UploadKeys.FromFileId("anonymous", "/upload", "takeover"u8)), "*.data")[0];
            AwaitLength(data, offset + Piece);

            long start = Stopwatch.GetTimestamp();
            long held = asking.Exchange(status).Expect(200);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (held != offset + Piece)
            {
                throw new InvalidOperationException($"The status is {held} where {offset + Piece} bytes are there.");
            }

            if (round >= WarmUps)
            {
                times.Add(elapsed);
            }
        }

        return [.. times];
    }

    private static void AwaitLength(string path, long length)
    {
        long start = Stopwatch.GetTimestamp();
        while (new FileInfo(path).Length < length)
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(20))
            {
                throw new TimeoutException("The server does not write what it was sent.");
            }

            Thread.Yield();
        }
    }
}
