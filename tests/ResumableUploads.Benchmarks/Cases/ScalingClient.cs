using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>A client that begins uploads, asks for something over and over, and takes them away again.</summary>
/// <param name="server">Who is asked.</param>
/// <param name="store">The server's directory.</param>
/// <param name="held">How many bytes there are of each of the client's uploads.</param>
internal sealed class ScalingClient(ServerProcess server, PrefilledStore store, long held)
{
    /// <summary>The most uploads that one measurement leaves behind.</summary>
    public const int MaxRemainingUploads = CompletedUploads + RequestLoop.Connections;

    private const int ChunkSize = 1024;
    private const long UnsentLength = 1L << 30;

    private const int CompletedUploads = 50 * RequestLoop.Connections;

    private static readonly byte[] Content = new byte[ChunkSize];

    /// <summary>Each connection asks for the status of an upload of its own.</summary>
    public RequestLoopResult Status(TimeSpan slice) => WithUploads(RequestLoop.Connections, UnsentLength, names =>
    {
        PlannedRequest[] questions = [.. names.Select(name => new PlannedRequest(UploadProtocol.FileId.Status(name), held))];
        return RequestLoop.Run(server, slice, connection => questions[connection]);
    });

    /// <summary>Each connection sends piece after piece of an upload of its own.</summary>
    public RequestLoopResult Append(TimeSpan slice) => WithUploads(RequestLoop.Connections, UnsentLength, names =>
    {
        long[] offsets = [.. names.Select(_ => held)];
        return RequestLoop.Run(server, slice, connection =>
        {
            byte[] head = UploadProtocol.FileId.Append(names[connection], offsets[connection], ChunkSize, held + UnsentLength);
            return new PlannedRequest([.. head, .. Content], offsets[connection] += ChunkSize);
        });
    });

    /// <summary>Each request is the last byte of another upload.</summary>
    public RequestLoopResult Finish(TimeSpan slice) => WithUploads(MaxRemainingUploads, 1, names =>
    {
        int next = 0;
        return RequestLoop.Run(
            server, slice, _ => new PlannedRequest([.. UploadProtocol.FileId.Append(names[next++], held, 1, held + 1), 0], held + 1), CompletedUploads);
    });

    /// <summary>Each request is a whole file.</summary>
    public RequestLoopResult SingleRequest(TimeSpan slice) => WithUploads(0, 0, _ => RequestLoop.Run(
        server, slice, _ => new PlannedRequest([.. UploadProtocol.FileId.Create(UploadProtocol.NewName(), ChunkSize, ChunkSize), .. Content], ChunkSize), CompletedUploads));

    private RequestLoopResult WithUploads(int count, long room, Func<string[], RequestLoopResult> ask)
    {
        string[] names = [.. Enumerable.Range(0, count).Select(static _ => UploadProtocol.NewName())];
        foreach (string name in names)
        {
            store.BeginUpload(name, held + room, held);
        }

        RequestLoopResult asked = ask(names);
        store.Clear();
        return asked;
    }
}
