using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>How a connection wastes the server's time.</summary>
internal enum Slowness
{
    /// <summary>Sends one byte of the body from time to time.</summary>
    Body,

    /// <summary>Sends the header section and one byte of the body, then nothing.</summary>
    Silent,

    /// <summary>Sends one byte of the header section from time to time, so the server does not know the target yet.</summary>
    Head,
}

/// <summary>A slow connection.</summary>
internal sealed class SlowConnection(Socket socket, int number, Slowness slowness) : IDisposable
{
    private const int Length = 1000;
    private int _head;

    public string FileId { get; } = $"slow-{number:d5}.bin";

    public Slowness Slowness => slowness;

    /// <summary>Gets the number of body bytes sent.</summary>
    public int Sent { get; private set; }

    public string Cookie { get; private set; } = "";

    public void Begin(int owner)
    {
        Cookie = AbusedServer.Cookie(owner);
        string head = $"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nX-File-Id: {FileId}\r\nX-File-Size: {Length}\r\nContent-Length: {Length}\r\nCookie: {Cookie}\r\n";
        try
        {
            if (slowness == Slowness.Head)
            {
                socket.Send(Encoding.ASCII.GetBytes(head));
            }
            else
            {
                // Together, so that the server does not wait for the first byte.
                socket.Send((byte[])[.. Encoding.ASCII.GetBytes(head + "\r\n"), Content[0]]);
                Sent = 1;
            }
        }
        catch (SocketException)
        {
            // The server has rejected the connection.
        }
    }

    /// <summary>Sends the next byte, if this connection sends any. Does nothing if the server has closed the connection.</summary>
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
            // The server has closed the connection.
        }
    }

    /// <summary>Gets the complete content, of which only a little is sent.</summary>
    public byte[] Content { get; } = [.. Enumerable.Range(0, Length).Select(offset => (byte)((number * 31) + offset))];

    /// <summary>Returns the response, or null if the server closed the connection.</summary>
    public Task<RawResponse?> ReadResponseOrEndAsync(TimeSpan timeout) =>
        socket.Connected ? RawConnection.Over(socket).ReadResponseAsync(timeout) : Task.FromResult<RawResponse?>(null);

    /// <summary>Returns the response after the server has ended the request.</summary>
    public async Task<RawResponse> ReadResponseAsync(TimeSpan timeout) => Assert.IsType<RawResponse>(await ReadResponseOrEndAsync(timeout));

    public void Dispose()
    {
        // Without this option the ports of thousands of connections would stay in use for a minute.
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

    /// <summary>Gets the connections whose header section has been sent.</summary>
    public IEnumerable<SlowConnection> Uploads => _connections.Where(static one => one.Slowness != Slowness.Head);

    /// <summary>Opens the connections and starts an upload on each.</summary>
    /// <param name="address">The address of the server.</param>
    /// <param name="count">The number of connections.</param>
    /// <param name="slownessOf">Returns how a connection is slow.</param>
    /// <param name="ownerOf">Returns the owner of a connection.</param>
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

    /// <summary>Sends one byte on each connection that sends any, then pauses.</summary>
    public async Task TrickleAsync(TimeSpan pause)
    {
        _connections.ForEach(static connection => connection.Trickle());
        await Task.Delay(pause, TimeProvider.System);
    }

    public void Dispose() => _connections.ForEach(static connection => connection.Dispose());
}
