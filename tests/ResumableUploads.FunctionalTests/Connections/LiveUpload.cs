namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>How the body of an append travels.</summary>
public enum Wire
{
    /// <summary>HTTP/1.1 with Content-Length, from a plain socket.</summary>
    ContentLength,

    /// <summary>HTTP/1.1 in chunks, from a plain socket.</summary>
    Chunked,

    /// <summary>HTTP/2 without TLS, from HttpClient.</summary>
    Http2,
}

/// <summary>How a connection ends.</summary>
public enum Cut
{
    /// <summary>The client says that nothing more comes (FIN).</summary>
    Fin,

    /// <summary>The connection is torn down (RST).</summary>
    Reset,

    /// <summary>Nothing more is sent, and the socket stays open: what a server sees of a client without a network.</summary>
    Silent,

    /// <summary>HTTP/2: the stream alone is cancelled (RST_STREAM).</summary>
    ResetStream,
}

/// <summary>What a client was told.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body as text.</param>
/// <param name="StartByte">The header X-Start-Byte.</param>
internal sealed record Answer(int Status, string Body, string? StartByte);

/// <summary>An append under way: the test decides when which bytes go out, and how it ends.</summary>
internal abstract class LiveUpload : IAsyncDisposable
{
    public static async Task<LiveUpload> BeginAsync(Wire wire, Uri address, string fileId, long startByte, long bodyLength, long? fileSize = null) =>
        wire == Wire.Http2
            ? new Http2Upload(address, fileId, startByte, fileSize)
            : await RawUpload.BeginAsync(address, fileId, startByte, wire == Wire.ContentLength ? bodyLength : null, fileSize);

    /// <summary>Whether sending failed because the server takes no more.</summary>
    public static bool IsOver(Exception e) => e is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Sends a part of the body.</summary>
    public abstract Task SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Ends the body as it should end.</summary>
    public abstract Task EndAsync();

    public abstract void Cut(Cut cut);

    /// <summary>Reads the answer; null when the connection ended without one.</summary>
    public abstract Task<Answer?> ReadResponseAsync();

    public abstract ValueTask DisposeAsync();
}
