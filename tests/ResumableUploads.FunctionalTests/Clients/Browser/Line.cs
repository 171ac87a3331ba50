using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>A line to a server that can be cut, with all that is on it, and mended. (A browser's own offline mode spares requests that run.)</summary>
public sealed class Line : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly Uri _server;
    private readonly Task _accepting;
    private volatile bool _isCut;
    private TaskCompletionSource? _held;
    private long _room;

    public Line(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Resets all connections, and every new one until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (Socket socket in _sockets.Keys)
        {
            Reset(socket);
        }
    }

    public void Mend() => _isCut = false;

    /// <summary>Lets so many more bytes through to the server, and then holds what follows until <see cref="Release"/>.</summary>
    public void HoldAfter(long bytes)
    {
        Volatile.Write(ref _room, bytes);
        Volatile.Write(ref _held, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    public void Release() => Interlocked.Exchange(ref _held, null)?.SetResult();

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        Release();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(CarryAsync(await _listener.AcceptSocketAsync()));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets[client] = _sockets[server] = true;
        try
        {
            if (!_isCut)
            {
                await server.ConnectAsync(IPAddress.Loopback, _server.Port);
                await Task.WhenAll(CopyAsync(client, server, isHeld: true), CopyAsync(server, client, isHeld: false));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut, or left by one of the two.
        }
        finally
        {
            foreach (Socket socket in new[] { client, server })
            {
                Reset(socket);
                _sockets.TryRemove(socket, out _);
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isHeld)
    {
        byte[] buffer = new byte[64 * 1024];
        int read;
        while (!_isCut && (read = await from.ReceiveAsync(buffer)) > 0)
        {
            if (isHeld && Volatile.Read(ref _held) is { } held && Interlocked.Add(ref _room, -read) < 0)
            {
                await held.Task;
            }

            for (int sent = 0; sent < read;)
            {
                sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed already.
        }

        socket.Dispose();
    }
}
