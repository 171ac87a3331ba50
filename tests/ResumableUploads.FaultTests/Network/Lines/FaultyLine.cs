using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>
/// A TCP proxy whose connections are slow, stall and break, each by a plan that depends on a seed and the number of the connection. It neither
/// reorders nor changes bytes.
/// </summary>
internal sealed class FaultyLine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<Uri?> _server;
    private readonly Random _random;
    private readonly FaultCounts _counts;
    private readonly Task _accepting;
    private volatile int _requestLength = 1000;

    /// <param name="server">Returns the address of the server, or null if there is no server.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="counts">Counts the faults.</param>
    public FaultyLine(Func<Uri?> server, int seed, FaultCounts counts)
    {
        (_server, _random, _counts) = (server, new Random(seed), counts);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Sets the length of the next request, so that a fault can happen within it.</summary>
    public void Expect(int requestLength) => _requestLength = requestLength;

    /// <summary>Closes the remaining connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            for (int number = 0; ; number++)
            {
                Socket client = await _listener.AcceptSocketAsync(_end.Token);
                FaultPlan plan = FaultPlan.Next(_random, number, _requestLength);
                connections.Add(Task.Run(() => new FaultyConnection(client, plan, _counts, _end.Token).CarryAsync(_server())));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }
}
