using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Sends requests over several connections from one thread, with one pending request per connection.</summary>
internal static class RequestLoop
{
    public const int Connections = 16;

    /// <summary>Sends requests until the time is over or the maximum is reached, and then reads the pending response of each connection.</summary>
    /// <param name="server">The server.</param>
    /// <param name="duration">The duration of the measurement.</param>
    /// <param name="next">Returns the next request of a connection, by the number of the connection.</param>
    /// <param name="maxResponses">The maximum number of counted responses: a multiple of the number of connections.</param>
    public static RequestLoopResult Run(ServerProcess server, TimeSpan duration, Func<int, PlannedRequest> next, long maxResponses = long.MaxValue)
    {
        RawHttpConnection[] connections = [.. Enumerable.Range(0, Connections).Select(_ => RawHttpConnection.Open(server.Port))];
        var pending = new long[Connections];
        for (int i = 0; i < Connections; i++)
        {
            connections[i].Get("/control/cpu").ExpectStatus(200);
            pending[i] = Send(connections[i], next(i));
        }

        TimeSpan before = server.ProcessorTime();
        long start = Stopwatch.GetTimestamp();
        long count = 0;
        TimeSpan elapsed;
        do
        {
            for (int i = 0; i < Connections; i++)
            {
                Receive(connections[i], pending[i]);
                pending[i] = Send(connections[i], next(i));
            }

            count += Connections;
        }
        while ((elapsed = Stopwatch.GetElapsedTime(start)) < duration && count < maxResponses);
        TimeSpan used = server.ProcessorTime() - before;
        for (int i = 0; i < Connections; i++)
        {
            Receive(connections[i], pending[i]);
            connections[i].Dispose();
        }

        return new RequestLoopResult(count / elapsed.TotalSeconds, used.TotalMicroseconds / count);
    }

    private static long Send(RawHttpConnection connection, PlannedRequest request)
    {
        connection.Send(request.Request);
        return request.ExpectedNumber;
    }

    private static void Receive(RawHttpConnection connection, long expected)
    {
        if (connection.ReadResponse().ExpectStatus(200) is var number && number != expected)
        {
            throw new InvalidOperationException($"The server returned {number} instead of {expected}.");
        }
    }
}

/// <summary>A request and the number that is expected in the response.</summary>
internal readonly record struct PlannedRequest(byte[] Request, long ExpectedNumber);

/// <summary>The responses per second, and the processor time of the server per request, in microseconds.</summary>
internal readonly record struct RequestLoopResult(double RequestsPerSecond, double ProcessorTimePerRequest);
