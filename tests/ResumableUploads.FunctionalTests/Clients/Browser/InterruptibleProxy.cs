using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>
/// A TCP proxy whose connections the test can reset, refuse and stall. The offline mode of the browser does not interrupt running requests.
/// </summary>
public sealed class InterruptibleProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly Uri _server;
    private readonly Task _accepting;
    private volatile bool _isInterrupted;
    private TaskCompletionSource? _held;
    private long _remaining;

    public InterruptibleProxy(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Resets all connections, and all new connections until <see cref="Restore"/> is called.</summary>
    public void Interrupt()
    {
        _isInterrupted = true;
        foreach (Socket socket in _sockets.Keys)
        {
            Reset(socket);
        }
    }

    public void Restore() => _isInterrupted = false;

    /// <summary>Forwards the given number of bytes to the server, and stalls the following bytes until <see cref="Release"/> is called.</summary>
    public void HoldAfter(long bytes)
    {
        Volatile.Write(ref _remaining, bytes);
        Volatile.Write(ref _held, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    public void Release() => Interlocked.Exchange(ref _held, null)?.SetResult();

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Interrupt();
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
                connections.Add(ForwardAsync(await _listener.AcceptSocketAsync()));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets[client] = _sockets[server] = true;
        try
        {
            if (!_isInterrupted)
            {
                await server.ConnectAsync(IPAddress.Loopback, _server.Port);
                await Task.WhenAll(CopyAsync(client, server, isHeld: true), CopyAsync(server, client, isHeld: false));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test interrupted the connection, or one side closed it.
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
        while (!_isInterrupted && (read = await from.ReceiveAsync(buffer)) > 0)
        {
            if (isHeld && Volatile.Read(ref _held) is { } held && Interlocked.Add(ref _remaining, -read) < 0)
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
            // The socket is already closed.
        }

        socket.Dispose();
    }
}
