using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.Testing.Clients;

/// <summary>An HTTP/1.1 connection on which the test controls every byte and how the connection ends.</summary>
public sealed class RawConnection : IAsyncDisposable
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(2);
    private readonly Socket _socket;
    private readonly Stream _stream;
    private byte[] _received = [];

    private RawConnection(Socket socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
    }

    /// <summary>Connects. An https address uses TLS with <see cref="TestCertificate"/>.</summary>
    /// <param name="address">The address of the server.</param>
    /// <param name="negotiatesProtocol">Whether the client negotiates HTTP/1.1 in the TLS handshake, as clients do and many proxies do not.</param>
    public static async Task<RawConnection> OpenAsync(Uri address, bool negotiatesProtocol = true)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        Stream stream = new NetworkStream(socket);
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = negotiatesProtocol ? [SslApplicationProtocol.Http11] : null,
                RemoteCertificateValidationCallback = TestCertificate.IsIt,
            });
            stream = tls;
        }

        return new RawConnection(socket, stream);
    }

    /// <summary>Wraps a connected socket and takes ownership of it.</summary>
    public static RawConnection Over(Socket socket) => new(socket, new NetworkStream(socket));

    /// <summary>Sends text as ISO-8859-1. Line breaks are not converted: use \r\n.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes);

    /// <summary>Sends the request line, Host and the headers.</summary>
    public Task SendHeadAsync(string methodAndPath, params string[] headers) =>
        SendAsync($"{methodAndPath} HTTP/1.1\r\nHost: 127.0.0.1\r\n{string.Concat(headers.Select(static header => header + "\r\n"))}\r\n");

    /// <summary>Sends one chunk of a chunked body. An empty chunk ends the body.</summary>
    public async Task SendChunkAsync(ReadOnlyMemory<byte> bytes)
    {
        await SendAsync(bytes.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n");
        await SendAsync(bytes);
        await SendAsync("\r\n");
    }

    /// <summary>Ends the sending direction (FIN). Responses can still be read.</summary>
    public void Finish() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>Reads one response, which can be an interim response. Returns null at the end of the connection.</summary>
    public async Task<RawResponse?> ReadResponseAsync(TimeSpan? timeout = null, bool toHead = false)
    {
        using var cancellation = new CancellationTokenSource(timeout ?? DefaultTimeout);
        int end;
        while ((end = _received.AsSpan().IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!await ReceiveAsync(cancellation.Token))
            {
                return null;
            }
        }

        string[] lines = Encoding.Latin1.GetString(_received, 0, end).Split("\r\n");
        _received = _received[(end + 4)..];
        int status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        ILookup<string, string> headers = lines.Skip(1).ToLookup(
            static line => line[..line.IndexOf(':')], static line => line[(line.IndexOf(':') + 1)..].Trim(), StringComparer.OrdinalIgnoreCase);
        int length = status is >= 200 and not 204 && !toHead && headers["Content-Length"].FirstOrDefault() is { } text
            ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        while (_received.Length < length && await ReceiveAsync(cancellation.Token))
        {
        }

        string body = Encoding.UTF8.GetString(_received, 0, Math.Min(length, _received.Length));
        _received = _received[Math.Min(length, _received.Length)..];
        return new RawResponse(status, headers, body);
    }

    /// <summary>Reads a chunked body after the response head.</summary>
    public async Task<string> ReadChunkedBodyAsync(TimeSpan? timeout = null)
    {
        using var cancellation = new CancellationTokenSource(timeout ?? DefaultTimeout);
        int end;
        while ((end = _received.AsSpan().IndexOf("0\r\n\r\n"u8)) < 0)
        {
            if (!await ReceiveAsync(cancellation.Token))
            {
                throw new IOException("The connection ended before the end of the body.");
            }
        }

        string text = Encoding.Latin1.GetString(_received, 0, end);
        _received = _received[(end + 5)..];
        var body = new StringBuilder();
        for (int at = 0; at < text.Length;)
        {
            int line = text.IndexOf("\r\n", at, StringComparison.Ordinal);
            int size = int.Parse(text.AsSpan(at, line - at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            body.Append(text, line + 2, size);
            at = line + 2 + size + 2;
        }

        return Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(body.ToString()));
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _socket.Dispose();
    }

    private async Task<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[16 * 1024];
        int read;
        try
        {
            read = await _stream.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            return false;
        }

        _received = [.. _received, .. buffer.AsSpan(0, read)];
        return read > 0;
    }
}

/// <summary>A response as received.</summary>
public sealed record RawResponse(int Status, ILookup<string, string> Headers, string Body)
{
    public string? Header(string name) => Headers[name].FirstOrDefault();
}
