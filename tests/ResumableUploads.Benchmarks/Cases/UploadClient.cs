using System.Diagnostics;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Uploads to one server, with one blocking thread per connection.</summary>
internal sealed class UploadClient(ServerProcess server, UploadProtocol protocol, UploadWorkload workload)
{
    private const int BlockSize = 256 * 1024;
    private static readonly byte[] Block = RandomBytes();

    /// <summary>Sends all uploads of the workload, and returns their resources. See <see cref="UploadProtocol"/>.</summary>
    public (Sample Sample, IReadOnlyList<string> Resources) Send()
    {
        RawHttpConnection[] connections = [.. Enumerable.Range(0, workload.Connections).Select(_ => RawHttpConnection.Open(server.Port))];
        var resources = new List<string>[connections.Length];
        var times = new List<double>[connections.Length];
        Exception? failure = null;
        double allocatedBefore = server.Allocated();
        TimeSpan before = server.ProcessorTime();
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. connections.Select((_, index) => new Thread(() =>
        {
            try
            {
                (resources[index], times[index]) = SendEach(ref connections[index]);
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
        Array.ForEach(connections, static connection => connection.Dispose());
        if (failure is not null)
        {
            throw new InvalidOperationException("An upload failed.", failure);
        }

        double[] requests = [.. times.SelectMany(static each => each)];
        return (new Sample(workload.Size * workload.Uploads, workload.Uploads, elapsed, used, allocated, requests), [.. resources.SelectMany(static each => each)]);
    }

    public void Cancel(IEnumerable<string> resources)
    {
        using RawHttpConnection connection = RawHttpConnection.Open(server.Port);
        foreach (string resource in resources)
        {
            connection.SendAndReceive(protocol.Cancel(resource)).ExpectSuccess();
        }
    }

    private (List<string> Resources, List<double> Times) SendEach(ref RawHttpConnection connection)
    {
        var resources = new List<string>();
        var times = new List<double>();
        for (int i = 0; i < workload.UploadsPerConnection; i++)
        {
            resources.Add(SendOne(ref connection, times));
        }

        return (resources, times);
    }

    private string SendOne(ref RawHttpConnection connection, List<double> times)
    {
        string name = UploadProtocol.NewName();
        string? resource = null;
        if (workload.CreatesSeparately)
        {
            resource = protocol.GetResource(name, Request(connection, protocol.Create(name, workload.Size, 0), 0, times));
        }

        for (long offset = 0; offset < workload.Size;)
        {
            if (workload.QueriesOffsetBetweenRequests && resource is not null)
            {
                connection.Dispose();
                connection = RawHttpConnection.Open(server.Port);
                Request(connection, protocol.Status(resource), 0, times, hasNoBody: protocol != UploadProtocol.FileId);
            }

            long content = Math.Min(workload.MaxRequestSize, workload.Size - offset);
            byte[] head = resource is null ? protocol.Create(name, workload.Size, content) : protocol.Append(resource, offset, content, workload.Size);
            RawHttpResponse response = Request(connection, head, content, times);
            resource ??= protocol.GetResource(name, response);
            offset += content;
        }

        return resource!;
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

        RawHttpResponse response = connection.ReadFinalResponse(hasNoBody);
        response.ExpectSuccess();
        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return response;
    }

    private static byte[] RandomBytes()
    {
        byte[] bytes = new byte[BlockSize];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
