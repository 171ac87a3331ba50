using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>A server with delayed syncs and a client that sends one request at a time.</summary>
internal sealed class RoundsClient : IDisposable
{
    private const int FileSize = 60_000;
    private const int ChunkSize = 4096;
    private const long LongSize = 1 << 20;
    private readonly ServerProcess _server;
    private readonly RawHttpConnection _connection;

    public RoundsClient(WorkDirectory workDirectory, ServerKind kind, Durability durability, CompletionHandler handler, TimeSpan delay)
    {
        string directory = workDirectory.CreateSubdirectory("rounds");
        _server = ServerProcess.Start(new ServeArguments(kind, directory, durability, handler, SyncDelay: delay));
        _connection = RawHttpConnection.Open(_server.Port);
    }

    /// <summary>Sends a file to the bare server, which writes, syncs once and renames.</summary>
    public RoundsSample SendBareFile() => Measure(RawHttpConnection.CreateRequestHead("POST /file", $"Content-Length: {FileSize}"), FileSize).Sample;

    /// <summary>Sends a file in one request.</summary>
    public RoundsSample SendFile(UploadProtocol protocol) => Measure(protocol.Create(UploadProtocol.NewName(), FileSize, FileSize), FileSize).Sample;

    /// <summary>Creates an upload without content.</summary>
    public RoundsSample Create(UploadProtocol protocol) => Measure(protocol.Create(UploadProtocol.NewName(), LongSize, 0), 0).Sample;

    /// <summary>Appends a chunk to an upload that already has one. The first chunk is not measured.</summary>
    public RoundsSample Append(bool isLast)
    {
        long size = isLast ? 2 * ChunkSize : LongSize;
        string resource = CreateUpload(size);
        return Measure(UploadProtocol.Tus.Append(resource, ChunkSize, ChunkSize, size), ChunkSize).Sample;
    }

    /// <summary>Cancels an upload that has a chunk.</summary>
    public RoundsSample Cancel() => Measure(UploadProtocol.Tus.Cancel(CreateUpload(LongSize)), 0).Sample;

    public void Dispose()
    {
        _connection.Dispose();
        _server.Dispose();
    }

    private string CreateUpload(long size)
    {
        string name = UploadProtocol.NewName();
        string resource = UploadProtocol.Tus.GetResource(name, Measure(UploadProtocol.Tus.Create(name, size, 0), 0).Response);
        Measure(UploadProtocol.Tus.Append(resource, 0, ChunkSize, size), ChunkSize);
        return resource;
    }

    private (RoundsSample Sample, RawHttpResponse Response) Measure(byte[] head, int content)
    {
        byte[] request = [.. head, .. new byte[content]];
        long before = _server.Syncs();
        long start = Stopwatch.GetTimestamp();
        _connection.Send(request);
        RawHttpResponse response = _connection.ReadFinalResponse();
        double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        response.ExpectSuccess();
        return (new RoundsSample(elapsed, _server.Syncs() - before), response);
    }
}
