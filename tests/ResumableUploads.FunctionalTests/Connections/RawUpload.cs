using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>An append over HTTP/1.1 on a socket.</summary>
internal sealed class RawUpload : LiveUpload
{
    private readonly RawConnection _connection;
    private readonly bool _chunked;

    private RawUpload(RawConnection connection, bool chunked)
    {
        _connection = connection;
        _chunked = chunked;
    }

    public static async Task<LiveUpload> BeginAsync(Uri address, string fileId, long startByte, long? contentLength, long? fileSize)
    {
        RawConnection connection = await RawConnection.OpenAsync(address);
        var headers = new List<string>
        {
            $"X-File-Id: {fileId}",
            $"X-Start-Byte: {startByte}",
            contentLength is { } length ? $"Content-Length: {length}" : "Transfer-Encoding: chunked",
        };
        if (fileSize is { } size)
        {
            headers.Add($"X-File-Size: {size}");
        }

        await connection.SendHeadAsync("POST /upload", [.. headers]);
        return new RawUpload(connection, contentLength is null);
    }

    public override Task SendAsync(ReadOnlyMemory<byte> bytes) => _chunked ? _connection.SendChunkAsync(bytes) : _connection.SendAsync(bytes);

    public override Task EndAsync() => _chunked ? _connection.SendChunkAsync(default) : Task.CompletedTask;

    public override void Cut(Cut cut)
    {
        switch (cut)
        {
            case Connections.Cut.Fin:
                _connection.Finish();
                break;
            case Connections.Cut.Reset:
                _connection.Reset();
                break;
        }
    }

    public override async Task<UploadReply?> ReadResponseAsync() =>
        await _connection.ReadResponseAsync() is { } response ? new UploadReply(response.Status, response.Body, response.Header("X-Start-Byte")) : null;

    public override ValueTask DisposeAsync() => _connection.DisposeAsync();
}
