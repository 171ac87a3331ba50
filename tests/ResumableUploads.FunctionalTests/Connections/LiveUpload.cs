namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>The transfer of the body of an append.</summary>
public enum Wire
{
    /// <summary>HTTP/1.1 with Content-Length over a socket.</summary>
    ContentLength,

    /// <summary>HTTP/1.1 with chunked transfer coding over a socket.</summary>
    Chunked,

    /// <summary>HTTP/2 without TLS by HttpClient.</summary>
    Http2,
}

/// <summary>The kind of an interruption.</summary>
public enum Cut
{
    /// <summary>The client closes its sending side (FIN).</summary>
    Fin,

    /// <summary>The client resets the connection (RST).</summary>
    Reset,

    /// <summary>The client sends nothing more and leaves the socket open, like a client that lost its network.</summary>
    Silent,

    /// <summary>The client resets the HTTP/2 stream (RST_STREAM).</summary>
    ResetStream,
}

/// <summary>The response that a client received.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body as text.</param>
/// <param name="StartByte">The value of the <c>X-Start-Byte</c> header.</param>
internal sealed record UploadReply(int Status, string Body, string? StartByte);

/// <summary>A running append whose body and interruption the test controls.</summary>
internal abstract class LiveUpload : IAsyncDisposable
{
    public static async Task<LiveUpload> BeginAsync(Wire wire, Uri address, string fileId, long startByte, long bodyLength, long? fileSize = null) =>
        wire == Wire.Http2
            ? new Http2Upload(address, fileId, startByte, fileSize)
            : await RawUpload.BeginAsync(address, fileId, startByte, wire == Wire.ContentLength ? bodyLength : null, fileSize);

    /// <summary>Returns whether an exception means that the server has stopped reading the body.</summary>
    public static bool IsSendFailure(Exception e) => e is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Sends a part of the body.</summary>
    public abstract Task SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Completes the body.</summary>
    public abstract Task EndAsync();

    public abstract void Cut(Cut cut);

    /// <summary>Reads the response, or returns <see langword="null"/> if the connection ends without one.</summary>
    public abstract Task<UploadReply?> ReadResponseAsync();

    public abstract ValueTask DisposeAsync();
}
