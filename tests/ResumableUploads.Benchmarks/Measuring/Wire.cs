using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>
/// A plain HTTP/1.1 connection that blocks: two system calls for a request and its answer, and no allocation, so that the sender takes as
/// little of the machine as can be.
/// </summary>
internal sealed class Wire : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[8 * 1024];
    private int _filled;

    private Wire(Socket socket) => _socket = socket;

    public static Wire Open(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        return new Wire(socket);
    }

    /// <summary>A request head as bytes.</summary>
    public static byte[] Head(string methodAndPath, params string[] headers) => Encoding.Latin1.GetBytes(
        $"{methodAndPath} HTTP/1.1\r\nHost: localhost\r\n{string.Concat(headers.Select(static header => header + "\r\n"))}\r\n");

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>Reads one answer, an interim one too. Its body has to be a number, or is not looked at.</summary>
    public Answer Read()
    {
        int end;
        while ((end = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Receive();
        }

        Span<byte> head = _buffer.AsSpan(0, end + 2);
        _ = Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out int status, out _);
        int length = 0;
        int at = head.IndexOf("Content-Length: "u8);
        if (at >= 0)
        {
            _ = Utf8Parser.TryParse(head[(at + "Content-Length: ".Length)..], out length, out _);
        }

        int start = end + 4;
        while (_filled < start + length)
        {
            Receive();
        }

        _ = Utf8Parser.TryParse(_buffer.AsSpan(start, length), out long number, out _);
        _filled -= start + length;
        Buffer.BlockCopy(_buffer, start + length, _buffer, 0, _filled);
        return new Answer(status, number);
    }

    public Answer Get(string path) => Exchange(Head("GET " + path));

    public Answer Exchange(ReadOnlySpan<byte> request)
    {
        Send(request);
        return Read();
    }

    public void Dispose() => _socket.Dispose();

    private void Receive()
    {
        int read = _socket.Receive(_buffer.AsSpan(_filled));
        _filled += read > 0 ? read : throw new IOException("The server closed the connection.");
    }
}

/// <summary>An answer: its status code, and its body where that is a number.</summary>
internal readonly record struct Answer(int Status, long Number)
{
    public long Expect(int status) => Status == status ? Number : throw new InvalidOperationException($"The server answered {Status} where {status} was due.");
}
