using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FunctionalTests.Clients.Concurrent;

/// <summary>A TCP proxy whose connections share a limited rate from the clients to the server. The server can be restarted behind it.</summary>
internal sealed class ThrottledLine : IAsyncDisposable
{
    private const int BlockSize = 32 * 1024;

    /// <summary>The maximum size, in bytes, of the head of a request. A held line forwards blocks up to this size.</summary>
    private const int MaxHeadSize = 4 * 1024;

    /// <summary>The time that a late timer may catch up.</summary>
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(50);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly Lock _lock = new();
    private readonly Uri _server;
    private readonly Task _accepting;
    private TaskCompletionSource? _held;
    private long _holdAt;
    private long _forwarded;
    private long _free;

    /// <param name="server">The address of the server.</param>
    /// <param name="rate">The initial <see cref="Rate"/>.</param>
    public ThrottledLine(Uri server, int? rate = null)
    {
        (_server, Rate) = (server, rate);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Gets or sets the rate of all connections together, in bytes per second. <see langword="null"/> means no limit.</summary>
    public int? Rate { get; set; }

    /// <summary>Gets the number of bytes that the server has been sent.</summary>
    public long ForwardedBytes => Interlocked.Read(ref _forwarded);

    /// <summary>
    /// Forwards the given number of bytes, and then only requests without a body, until <see cref="Release"/> is called. A connection that sends a body
    /// stalls.
    /// </summary>
    public void HoldAfter(long bytes)
    {
        Volatile.Write(ref _holdAt, ForwardedBytes + bytes);
        Volatile.Write(ref _held, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    public void Release() => Interlocked.Exchange(ref _held, null)?.SetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        _listener.Stop();
        foreach (Socket socket in _sockets.Keys)
        {
            socket.Dispose();
        }

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
        using Socket server = new(SocketType.Stream, ProtocolType.Tcp);
        client.ReceiveBufferSize = BlockSize;
        _sockets[client] = _sockets[server] = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _server.Port);
            await Task.WhenAll(CopyAsync(client, server, isLimited: true), CopyAsync(server, client, isLimited: false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side has closed the connection, or the line is disposed.
        }
        finally
        {
            client.Dispose();
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(server, out _);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isLimited)
    {
        byte[] buffer = new byte[BlockSize];
        int read;
        while ((read = await from.ReceiveAsync(buffer)) > 0)
        {
            if (isLimited)
            {
                if (read > MaxHeadSize && Volatile.Read(ref _held) is { } held && ForwardedBytes >= Volatile.Read(ref _holdAt))
                {
                    await held.Task;
                }

                await WaitAsync(read);
            }

            for (int sent = 0; sent < read;)
            {
                sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
            }

            if (isLimited)
            {
                Interlocked.Add(ref _forwarded, read);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Waits until the line has sent everything before these bytes, and these bytes.</summary>
    private async Task WaitAsync(int count)
    {
        if (Rate is not { } rate)
        {
            return;
        }

        long now = TimeProvider.System.GetTimestamp();
        long due;
        lock (_lock)
        {
            long earliest = now - (long)(Burst.TotalSeconds * TimeProvider.System.TimestampFrequency);
            due = _free = Math.Max(_free, earliest) + (count * TimeProvider.System.TimestampFrequency / rate);
        }

        if (due > now)
        {
            await Task.Delay(TimeProvider.System.GetElapsedTime(now, due), TimeProvider.System);
        }
    }
}
