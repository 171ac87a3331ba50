using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Creates uploads, repeats a request to them, and removes them.</summary>
/// <param name="server">The server.</param>
/// <param name="store">The store directory of the server.</param>
/// <param name="receivedLength">The number of received bytes of each upload.</param>
internal sealed class ScalingClient(ServerProcess server, PrefilledStore store, long receivedLength)
{
    /// <summary>The maximum number of uploads that one measurement leaves.</summary>
    public const int MaxRemainingUploads = CompletedUploads + RequestLoop.Connections;

    private const int ChunkSize = 1024;
    private const long UnsentLength = 1L << 30;

    private const int CompletedUploads = 50 * RequestLoop.Connections;

    private static readonly byte[] Content = new byte[ChunkSize];

    /// <summary>Measures status requests. Each connection uses an upload of its own.</summary>
    public RequestLoopResult Status(TimeSpan duration) => WithUploads(RequestLoop.Connections, UnsentLength, names =>
    {
        PlannedRequest[] requests = [.. names.Select(name => new PlannedRequest(UploadProtocol.FileId.Status(name), receivedLength))];
        return RequestLoop.Run(server, duration, connection => requests[connection]);
    });

    /// <summary>Measures appends. Each connection uses an upload of its own.</summary>
    public RequestLoopResult Append(TimeSpan duration) => WithUploads(RequestLoop.Connections, UnsentLength, names =>
    {
        long[] offsets = [.. names.Select(_ => receivedLength)];
        return RequestLoop.Run(server, duration, connection =>
        {
            byte[] head = UploadProtocol.FileId.Append(names[connection], offsets[connection], ChunkSize, receivedLength + UnsentLength);
            return new PlannedRequest([.. head, .. Content], offsets[connection] += ChunkSize);
        });
    });

    /// <summary>Measures requests that send the last byte of an upload.</summary>
    public RequestLoopResult Finish(TimeSpan duration) => WithUploads(MaxRemainingUploads, 1, names =>
    {
        int next = 0;
        return RequestLoop.Run(
            server, duration, _ => new PlannedRequest([.. UploadProtocol.FileId.Append(names[next++], receivedLength, 1, receivedLength + 1), 0], receivedLength + 1), CompletedUploads);
    });

    /// <summary>Measures uploads in a single request.</summary>
    public RequestLoopResult SingleRequest(TimeSpan duration) => WithUploads(0, 0, _ => RequestLoop.Run(
        server, duration, _ => new PlannedRequest([.. UploadProtocol.FileId.Create(UploadProtocol.NewName(), ChunkSize, ChunkSize), .. Content], ChunkSize), CompletedUploads));

    private RequestLoopResult WithUploads(int count, long unsentLength, Func<string[], RequestLoopResult> run)
    {
        string[] names = [.. Enumerable.Range(0, count).Select(static _ => UploadProtocol.NewName())];
        foreach (string name in names)
        {
            store.CreateClientUpload(name, receivedLength + unsentLength, receivedLength);
        }

        RequestLoopResult result = run(names);
        store.Clear();
        return result;
    }
}
