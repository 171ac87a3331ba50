using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>How a connection wastes a server's time.</summary>
internal enum Slowness
{
    /// <summary>A byte of the body now and then.</summary>
    Body,

    /// <summary>The head, one byte of the body, and nothing more.</summary>
    Silent,

    /// <summary>A byte of the head now and then: nobody knows yet what it asks for.</summary>
    Head,
}

/// <summary>One of many connections that take their time.</summary>
internal sealed class SlowConnection(Socket socket, int number, Slowness slowness) : IDisposable
{
    private const int Length = 1000;
    private int _head;

    public string FileId { get; } = $"slow-{number:d5}.bin";

    public Slowness Slowness => slowness;

    /// <summary>How many bytes of the body were sent.</summary>
    public int Sent { get; private set; }

    public string Cookie { get; private set; } = "";

    public void Begin(int owner)
    {
        Cookie = AbusedServer.Cookie(owner);
        string head = $"POST /upload HTTP/1.1\r\nHost: a\r\nX-File-Id: {FileId}\r\nX-File-Size: {Length}\r\nContent-Length: {Length}\r\nCookie: {Cookie}\r\n";
        try
        {
            socket.Send(Encoding.ASCII.GetBytes(slowness == Slowness.Head ? head : head + "\r\n"));
            if (slowness != Slowness.Head)
            {
                SendByte();
            }
        }
        catch (SocketException)
        {
            // The server has no room for it.
        }
    }

    /// <summary>Sends the next byte, where it sends any. What the server has closed stays as it is.</summary>
    public void Trickle()
    {
        try
        {
            switch (slowness)
            {
                case Slowness.Body when Sent < Length - 1:
                    SendByte();
                    break;
                case Slowness.Head:
                    socket.Send([(byte)(_head++ == 0 ? 'X' : 'x')]);
                    break;
            }
        }
        catch (SocketException)
        {
            // It has been ended.
        }
    }

    /// <summary>The whole content, of which it sends a little.</summary>
    public byte[] Content { get; } = [.. Enumerable.Range(0, Length).Select(offset => (byte)((number * 31) + offset))];

    /// <summary>What the server answers, once it ends the request; null where it ends the connection.</summary>
    public Task<RawResponse?> AnswerOrEndAsync(TimeSpan patience) =>
        socket.Connected ? RawConnection.Over(socket).ReadResponseAsync(patience) : Task.FromResult<RawResponse?>(null);

    /// <summary>What the server answers, once it ends the request.</summary>
    public async Task<RawResponse> AnswerAsync(TimeSpan patience) => Assert.IsType<RawResponse>(await AnswerOrEndAsync(patience));

    public void Dispose()
    {
        // Without a linger the ports of thousands of connections would be in use for a minute.
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    private void SendByte()
    {
        socket.Send(Content, Sent, 1, SocketFlags.None);
        Sent++;
    }
}

/// <summary>Thousands of slow connections.</summary>
internal sealed class SlowCrowd : IDisposable
{
    private readonly List<SlowConnection> _connections = [];

    public IReadOnlyList<SlowConnection> Connections => _connections;

    /// <summary>Those whose head has arrived.</summary>
    public IEnumerable<SlowConnection> Uploads => _connections.Where(static one => one.Slowness != Slowness.Head);

    /// <summary>Opens connections and begins an upload on each.</summary>
    /// <param name="address">The server.</param>
    /// <param name="count">How many.</param>
    /// <param name="slownessOf">How each is slow.</param>
    /// <param name="ownerOf">Whose each is.</param>
    public static async Task<SlowCrowd> OpenAsync(Uri address, int count, Func<int, Slowness> slownessOf, Func<int, int> ownerOf)
    {
        var crowd = new SlowCrowd();
        try
        {
            for (int i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                var connection = new SlowConnection(socket, i, slownessOf(i));
                crowd._connections.Add(connection);
                await socket.ConnectAsync(IPAddress.Loopback, address.Port);
                connection.Begin(ownerOf(i));
            }

            return crowd;
        }
        catch
        {
            crowd.Dispose();
            throw;
        }
    }

    /// <summary>One byte on each connection that sends any, and then a pause.</summary>
    public async Task TrickleAsync(TimeSpan pause)
    {
        _connections.ForEach(static connection => connection.Trickle());
        await Task.Delay(pause, TimeProvider.System);
    }

    public void Dispose() => _connections.ForEach(static connection => connection.Dispose());
}
