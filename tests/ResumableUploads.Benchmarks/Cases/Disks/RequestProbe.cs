using System.Diagnostics;
using System.Net.Sockets;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>
/// Sends a <c>GET</c> of an unrelated URL every 5 ms over one connection. A latency counts from the time at which the request should have been sent,
/// so that the requests that had to wait for a slow response are slow too.
/// </summary>
internal static class RequestProbe
{
    private const int WarmUps = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);
    private static readonly byte[] Request = RawHttpConnection.CreateRequestHead("GET /other");

    /// <summary>Sends requests that do not count.</summary>
    public static void WarmUp(int port) => Run(port, WarmUps * Interval, TimeSpan.FromSeconds(5));

    /// <summary>Measures on the thread of the caller.</summary>
    /// <param name="port">The port of the server.</param>
    /// <param name="duration">The time in which requests should be sent.</param>
    /// <param name="patience">The time after it in which responses are awaited. The latency of a request without a response is the time until then.</param>
    public static Latencies Run(int port, TimeSpan duration, TimeSpan patience)
    {
        using RawHttpConnection connection = RawHttpConnection.Open(port);
        var latencies = new double[(int)(duration / Interval)];
        long start = Stopwatch.GetTimestamp();
        int next = 0;
        try
        {
            for (; next < latencies.Length; next++)
            {
                PreciseSleep.Until(PreciseSleep.After(start, next * Interval));
                connection.SetReceiveTimeout(duration + patience - Stopwatch.GetElapsedTime(start));
                connection.SendAndReceive(Request).ExpectStatus(200);
                latencies[next] = (Stopwatch.GetElapsedTime(start) - (next * Interval)).TotalMilliseconds;
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            for (; next < latencies.Length; next++)
            {
                latencies[next] = (duration + patience - (next * Interval)).TotalMilliseconds;
            }
        }

        return new Latencies(latencies);
    }
}

/// <summary>The latencies of requests, in milliseconds.</summary>
internal sealed record Latencies(double[] Milliseconds)
{
    public double P50 { get; } = Statistics.Percentile(Milliseconds, 50);

    public double P99 { get; } = Statistics.Percentile(Milliseconds, 99);

    public double Max { get; } = Milliseconds.Max();
}
