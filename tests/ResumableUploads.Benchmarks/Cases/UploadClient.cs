using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>A client of one server: one blocking thread for each connection.</summary>
internal sealed class UploadClient(ServerProcess server, UploadProtocol protocol, UploadWorkload shape)
{
    private const int BlockSize = 256 * 1024;
    private static readonly byte[] Block = RandomBytes();

    /// <summary>Sends all uploads of the shape, and tells the places of them.</summary>
    public (Sample Sample, IReadOnlyList<string> Places) Send()
    {
        RawHttpConnection[] wires = [.. Enumerable.Range(0, shape.Connections).Select(_ => RawHttpConnection.Open(server.Port))];
        var places = new List<string>[wires.Length];
        var times = new List<double>[wires.Length];
        Exception? failure = null;
        double allocatedBefore = server.Allocated();
        TimeSpan before = server.ProcessorTime();
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. wires.Select((_, index) => new Thread(() =>
        {
            try
            {
                (places[index], times[index]) = SendEach(ref wires[index]);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        TimeSpan used = server.ProcessorTime() - before;
        double allocated = server.Allocated() - allocatedBefore;
        Array.ForEach(wires, static connection => connection.Dispose());
        if (failure is not null)
        {
            throw new InvalidOperationException("An upload failed.", failure);
        }

        double[] requests = [.. times.SelectMany(static each => each)];
        return (new Sample(shape.Size * shape.Uploads, shape.Uploads, elapsed, used, allocated, requests), [.. places.SelectMany(static each => each)]);
    }

    public void Cancel(IEnumerable<string> places)
    {
        using RawHttpConnection connection = RawHttpConnection.Open(server.Port);
        foreach (string place in places)
        {
            connection.SendAndReceive(protocol.Cancel(place)).ExpectSuccess();
        }
    }

    private (List<string> Places, List<double> Times) SendEach(ref RawHttpConnection connection)
    {
        var places = new List<string>();
        var times = new List<double>();
        for (int i = 0; i < shape.UploadsPerConnection; i++)
        {
            places.Add(SendOne(ref connection, times));
        }

        return (places, times);
    }

    private string SendOne(ref RawHttpConnection connection, List<double> times)
    {
        string name = UploadProtocol.NewName();
        string? place = null;
        if (shape.CreatesSeparately)
        {
            place = protocol.GetResource(name, Request(connection, protocol.Create(name, shape.Size, 0), 0, times));
        }

        for (long offset = 0; offset < shape.Size;)
        {
            if (shape.QueriesOffsetBetweenRequests && place is not null)
            {
                connection.Dispose();
                connection = RawHttpConnection.Open(server.Port);
                Request(connection, protocol.Status(place), 0, times, hasNoBody: protocol != UploadProtocol.FileId);
            }

            long content = Math.Min(shape.MaxRequestSize, shape.Size - offset);
            byte[] head = place is null ? protocol.Create(name, shape.Size, content) : protocol.Append(place, offset, content, shape.Size);
            RawHttpResponse answer = Request(connection, head, content, times);
            place ??= protocol.GetResource(name, answer);
            offset += content;
        }

        return place!;
    }

    private static RawHttpResponse Request(RawHttpConnection connection, byte[] head, long content, List<double> times, bool hasNoBody = false)
    {
        long start = Stopwatch.GetTimestamp();
        connection.Send(head);
        for (long sent = 0; sent < content;)
        {
            int next = (int)Math.Min(Block.Length, content - sent);
            connection.Send(Block.AsSpan(0, next));
            sent += next;
        }

        RawHttpResponse answer = connection.ReadFinalResponse(hasNoBody);
        answer.ExpectSuccess();
        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return answer;
    }

    private static byte[] RandomBytes()
    {
        byte[] bytes = new byte[BlockSize];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
