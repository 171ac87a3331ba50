using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Requests over some connections. One thread takes these in turn: the others have a request under way while it reads from one.</summary>
internal static class RequestLoop
{
    public const int Connections = 16;

    /// <summary>Asks until the time is over or so many questions are answered, and then reads the answers that are still due: one for each connection.</summary>
    /// <param name="server">Who is asked.</param>
    /// <param name="slice">For how long.</param>
    /// <param name="next">The next question over a connection, which is named by its number.</param>
    /// <param name="most">How many answers count at most: a multiple of the number of connections.</param>
    public static RequestLoopResult Run(ServerProcess server, TimeSpan slice, Func<int, PlannedRequest> next, long most = long.MaxValue)
    {
        RawHttpConnection[] wires = [.. Enumerable.Range(0, Connections).Select(_ => RawHttpConnection.Open(server.Port))];
        var pending = new long[Connections];
        for (int i = 0; i < Connections; i++)
        {
            wires[i].Get("/control/cpu").ExpectStatus(200);
            pending[i] = Send(wires[i], next(i));
        }

        TimeSpan before = server.ProcessorTime();
        long start = Stopwatch.GetTimestamp();
        long count = 0;
        TimeSpan elapsed;
        do
        {
            for (int i = 0; i < Connections; i++)
            {
                Receive(wires[i], pending[i]);
                pending[i] = Send(wires[i], next(i));
            }

            count += Connections;
        }
        while ((elapsed = Stopwatch.GetElapsedTime(start)) < slice && count < most);
        TimeSpan used = server.ProcessorTime() - before;
        for (int i = 0; i < Connections; i++)
        {
            Receive(wires[i], pending[i]);
            wires[i].Dispose();
        }

        return new RequestLoopResult(count / elapsed.TotalSeconds, used.TotalMicroseconds / count);
    }

    private static long Send(RawHttpConnection connection, PlannedRequest question)
    {
        connection.Send(question.Request);
        return question.ExpectedNumber;
    }

    private static void Receive(RawHttpConnection connection, long due)
    {
        if (connection.ReadResponse().ExpectStatus(200) is var number && number != due)
        {
            throw new InvalidOperationException($"The server answered {number} where {due} was due.");
        }
    }
}

/// <summary>A request, and the number that is due in answer.</summary>
internal readonly record struct PlannedRequest(byte[] Request, long ExpectedNumber);

/// <summary>How many answers came a second, and the microseconds of processor time that the server took for each.</summary>
internal readonly record struct RequestLoopResult(double RequestsPerSecond, double ProcessorTimePerRequest);
