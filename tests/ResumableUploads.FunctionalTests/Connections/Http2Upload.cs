using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>An append over HTTP/2 by HttpClient on a separate connection.</summary>
internal sealed class Http2Upload : LiveUpload
{
    private readonly PushedBody _body = new();
    private readonly CancellationTokenSource _cancel = new();
    private readonly HttpClient _client;
    private readonly Task<HttpResponseMessage> _response;
    private Socket? _socket;

    public Http2Upload(Uri address, string fileId, long startByte, long? fileSize)
    {
        _client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ConnectCallback = ConnectAsync })
        {
            BaseAddress = address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        var request = new HttpRequestMessage(HttpMethod.Post, "/upload")
        {
            Content = _body,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("X-File-Id", fileId);
        request.Headers.Add("X-Start-Byte", startByte.ToString(CultureInfo.InvariantCulture));
        if (fileSize is { } size)
        {
            request.Headers.Add("X-File-Size", size.ToString(CultureInfo.InvariantCulture));
        }

        _response = _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _cancel.Token);
    }

    /// <summary>Requests the offset on the same connection, so that the server receives the bytes that were sent before first.</summary>
    public Task<long> StatusAsync(string fileId) => _client.StatusAsync(fileId);

    public override async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        Stream stream = await _body.Stream;
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }

    public override Task EndAsync()
    {
        _body.End();
        return Task.CompletedTask;
    }

    public override void Cut(Cut cut)
    {
        switch (cut)
        {
            case Connections.Cut.Fin:
                _socket!.Shutdown(SocketShutdown.Send);
                break;
            case Connections.Cut.Reset:
                _socket!.LingerState = new LingerOption(true, 0);
                _socket.Close();
                break;
            case Connections.Cut.ResetStream:
                _cancel.Cancel();
                break;
        }
    }

    public override async Task<UploadReply?> ReadResponseAsync()
    {
        try
        {
            using HttpResponseMessage response = await _response.WaitAsync(TimeSpan.FromMinutes(2));
            return new UploadReply((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Header("X-Start-Byte"));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _cancel.CancelAsync();
        await _response.ContinueWith(static response => response.Exception, TaskScheduler.Default);
        _client.Dispose();
        _cancel.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await _socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
        return new NetworkStream(_socket, ownsSocket: true);
    }
}

/// <summary>A request body of unknown length that a test writes in chunks.</summary>
internal sealed class PushedBody : HttpContent
{
    private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets the request stream once it is available.</summary>
    public Task<Stream> Stream => _stream.Task;

    public void End() => _end.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _stream.TrySetResult(stream);
        await _end.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
