using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>What happens to a connection after a number of bytes.</summary>
internal enum LineFault
{
    None,

    /// <summary>The server receives the bytes before the fault and a FIN. The client is disconnected when the server has closed its side, and receives no response.</summary>
    Cut,

    /// <summary>The line stops reading from the client, and stays connected.</summary>
    Stall,

    /// <summary>The line forwards the whole request, and disconnects the client before the first byte of the response.</summary>
    LoseResponse,
}

/// <summary>A TCP proxy that breaks connections at planned places.</summary>
internal sealed class PlannedLine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Uri _server;
    private readonly Func<LineFault> _next;
    private readonly long _after;
    private readonly Task _accepting;

    /// <param name="server">The address of the server.</param>
    /// <param name="after">The number of bytes of a connection before its fault.</param>
    /// <param name="next">Returns the fault when a connection has sent that many bytes. A connection without a fault is asked once.</param>
    public PlannedLine(Uri server, long after, Func<LineFault> next)
    {
        (_server, _after, _next) = (server, after, next);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Gets the number of faults.</summary>
    public int Faults { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_end.Token);
                connections.Add(Task.Run(() => CarryAsync(client)));
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using (client)
        using (var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _server.Port, _end.Token);
                var fault = new TaskCompletionSource<LineFault>();
                Task receiving = ReceiveAsync(server, client, fault);
                await await Task.WhenAny(SendAsync(client, server, fault, receiving), receiving);
            }
            catch (Exception e) when (IsEnd(e))
            {
                // One side has disconnected.
            }
        }
    }

    private async Task SendAsync(Socket client, Socket server, TaskCompletionSource<LineFault> fault, Task receiving)
    {
        byte[] buffer = new byte[16 * 1024];
        int read;
        for (long passed = 0; (read = await client.ReceiveAsync(buffer, _end.Token)) > 0; passed += read)
        {
            if (passed + read > _after && !fault.Task.IsCompleted)
            {
                LineFault next = _next();
                Faults += next == LineFault.None ? 0 : 1;
                fault.SetResult(next);
                if (next is LineFault.Cut or LineFault.Stall)
                {
                    await server.SendAsync(buffer.AsMemory(0, (int)(_after - passed)), _end.Token);
                    if (next == LineFault.Cut)
                    {
                        server.Shutdown(SocketShutdown.Send);
                    }

                    await receiving;
                    return;
                }
            }

            await server.SendAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }

    private async Task ReceiveAsync(Socket server, Socket client, TaskCompletionSource<LineFault> fault)
    {
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = await server.ReceiveAsync(buffer, _end.Token)) > 0)
        {
            LineFault now = fault.Task.IsCompletedSuccessfully ? await fault.Task : LineFault.None;
            if (now == LineFault.LoseResponse)
            {
                return;
            }

            if (now != LineFault.Cut)
            {
                await client.SendAsync(buffer.AsMemory(0, read), _end.Token);
            }
        }
    }

    private static bool IsEnd(Exception e) => e is SocketException or ObjectDisposedException or OperationCanceledException;
}
