using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>One connection through the faulty proxy.</summary>
internal sealed class FaultyConnection(Socket client, FaultPlan plan, FaultCounts counts, CancellationToken end)
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(5);
    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private bool _hasHappened;
    private volatile bool _isRequestLost;
    private volatile bool _isResponseLost;
    private volatile bool _isHalfOpen;

    public async Task CarryAsync(Uri? server)
    {
        try
        {
            client.NoDelay = true;
            if (server is null)
            {
                return;
            }

            await _server.ConnectAsync(IPAddress.Loopback, server.Port, end);
            await Task.WhenAll(PassAsync(client, _server, isResponse: false), PassAsync(_server, client, isResponse: true));
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The proxy or the server has stopped.
        }
        finally
        {
            Reset(client);
            Reset(_server);
        }
    }

    private static bool IsEnd(Exception e) => e is SocketException or ObjectDisposedException or OperationCanceledException;

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Already closed.
        }

        socket.Dispose();
    }

    private async Task PassAsync(Socket from, Socket to, bool isResponse)
    {
        try
        {
            byte[] buffer = new byte[16 * 1024];
            long passed = 0;
            int read;
            while ((read = await from.ReceiveAsync(buffer, end)) > 0)
            {
                passed = await PassAsync(buffer.AsMemory(0, read), to, isResponse, passed);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // One side has disconnected, so the other one is disconnected, unless the plan prevents it.
            if (!_isHalfOpen)
            {
                Reset(client);
                Reset(_server);
            }
        }
    }

    private async Task<long> PassAsync(ReadOnlyMemory<byte> bytes, Socket to, bool isResponse, long passed)
    {
        while (!bytes.IsEmpty && !(isResponse ? _isResponseLost : _isRequestLost))
        {
            if (IsDue(isResponse, passed))
            {
                await HappenAsync();
                continue;
            }

            long left = plan.Fault != Fault.None && plan.IsInResponse == isResponse && !_hasHappened ? plan.At - passed : long.MaxValue;
            int size = (int)Math.Min(Math.Min(bytes.Length, plan.SizeAt(passed)), left);
            for (int sent = 0; sent < size;)
            {
                sent += await to.SendAsync(bytes[sent..size], end);
            }

            if (plan.DelayEvery > 0 && (passed + size) / plan.DelayEvery > passed / plan.DelayEvery)
            {
                await Task.Delay(Delay, TimeProvider.System, end);
            }

            bytes = bytes[size..];
            passed += size;
        }

        if (IsDue(isResponse, passed))
        {
            await HappenAsync();
        }

        return passed;
    }

    private bool IsDue(bool isResponse, long passed) =>
        plan.Fault != Fault.None && plan.IsInResponse == isResponse && !_hasHappened && passed >= plan.At;

    private async Task HappenAsync()
    {
        _hasHappened = true;
        counts.Add(plan.Fault, plan.IsInResponse);
        switch (plan.Fault)
        {
            case Fault.FinToServer:
                _isRequestLost = true;
                _server.Shutdown(SocketShutdown.Send);
                break;
            case Fault.FinToClient:
                _isResponseLost = true;
                client.Shutdown(SocketShutdown.Send);
                break;
            case Fault.Reset:
                Reset(client);
                Reset(_server);
                break;
            case Fault.HalfOpen:
                _isHalfOpen = true;
                _isRequestLost = _isResponseLost = true;
                Reset(client);
                await Task.Delay(plan.Hold, TimeProvider.System, end);
                Reset(_server);
                break;
            case Fault.Stall:
                await Task.Delay(plan.Hold, TimeProvider.System, end);
                break;
        }
    }
}
