using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>
/// A blocking HTTP/1.1 connection with two system calls per request and no allocations, so that the client uses as little of the machine as
/// possible.
/// </summary>
internal sealed class RawHttpConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[8 * 1024];
    private int _filled;

    private RawHttpConnection(Socket socket) => _socket = socket;

    public static RawHttpConnection Open(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        return new RawHttpConnection(socket);
    }

    /// <summary>Returns a request head as bytes.</summary>
    public static byte[] CreateRequestHead(string methodAndPath, params string[] headers) => Encoding.Latin1.GetBytes(
        $"{methodAndPath} HTTP/1.1\r\nHost: 127.0.0.1\r\n{string.Concat(headers.Select(static header => header + "\r\n"))}\r\n");

    /// <summary>Sets the maximum time that a synchronous read waits for bytes.</summary>
    public void SetReceiveTimeout(TimeSpan timeout) => _socket.ReceiveTimeout = Math.Max(1, (int)timeout.TotalMilliseconds);

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
        }
    }

    /// <summary>Reads one response, which may be an interim response. The body is parsed as a number if possible.</summary>
    public RawHttpResponse ReadResponse(bool hasNoBody = false)
    {
        RawHttpResponse response;
        while (!TryParseResponse(hasNoBody, out response))
        {
            AddReceived(_socket.Receive(_buffer.AsSpan(_filled)));
        }

        return response;
    }

    /// <summary>Reads one response like <see cref="ReadResponse"/>, and waits for it without a thread.</summary>
    public async ValueTask<RawHttpResponse> ReadResponseAsync(CancellationToken cancellationToken)
    {
        RawHttpResponse response;
        while (!TryParseResponse(hasNoBody: false, out response))
        {
            AddReceived(await _socket.ReceiveAsync(_buffer.AsMemory(_filled), cancellationToken));
        }

        return response;
    }

    /// <summary>Reads responses up to the final response.</summary>
    public RawHttpResponse ReadFinalResponse(bool hasNoBody = false)
    {
        RawHttpResponse response;
        do
        {
            response = ReadResponse(hasNoBody);
        }
        while (response.Status < 200);
        return response;
    }

    public RawHttpResponse Get(string path) => SendAndReceive(CreateRequestHead("GET " + path));

    public RawHttpResponse SendAndReceive(ReadOnlySpan<byte> request)
    {
        Send(request);
        return ReadResponse();
    }

    public void Dispose() => _socket.Dispose();

    private static ReadOnlySpan<byte> GetHeader(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        foreach (Range range in head.Split("\r\n"u8))
        {
            ReadOnlySpan<byte> line = head[range];
            if (line.Length > name.Length && line[name.Length] == (byte)':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                return line[(name.Length + 1)..].Trim((byte)' ');
            }
        }

        return default;
    }

    private void AddReceived(int read) => _filled += read > 0 ? read : throw new IOException("The server closed the connection.");

    /// <summary>Removes a response from the buffer. Returns <see langword="false"/> if it is not complete.</summary>
    private bool TryParseResponse(bool hasNoBody, out RawHttpResponse response)
    {
        response = default;
        ReadOnlySpan<byte> received = _buffer.AsSpan(0, _filled);
        int end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> head = received[..(end + 2)];
        int start = end + 4;
        _ = Utf8Parser.TryParse(GetHeader(head, "Content-Length"u8), out int length, out _);
        if (hasNoBody)
        {
            length = 0;
        }
        else if (!GetHeader(head, "Transfer-Encoding"u8).IsEmpty)
        {
            length = received[start..].IndexOf("0\r\n\r\n"u8) + 5;
            if (length < 5)
            {
                return false;
            }
        }

        if (_filled < start + length)
        {
            return false;
        }

        _ = Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out int status, out _);
        ReadOnlySpan<byte> location = GetHeader(head, "Location"u8);
        string? url = location.IsEmpty ? null : Encoding.Latin1.GetString(location);
        _ = Utf8Parser.TryParse(received.Slice(start, length), out long number, out _);
        _filled -= start + length;
        Buffer.BlockCopy(_buffer, start + length, _buffer, 0, _filled);
        response = new RawHttpResponse(status, number, url);
        return true;
    }
}

/// <summary>A response: its status code, the number in its body, and its <c>Location</c>.</summary>
internal readonly record struct RawHttpResponse(int Status, long Number, string? Location = null)
{
    public long ExpectStatus(int status) => Status == status ? Number : throw new InvalidOperationException($"The server returned status code {Status} instead of {status}.");

    public void ExpectSuccess()
    {
        if (Status is < 200 or > 299)
        {
            throw new InvalidOperationException($"The server returned status code {Status}.");
        }
    }
}
