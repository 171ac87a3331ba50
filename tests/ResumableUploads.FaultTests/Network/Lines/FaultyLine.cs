using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>
/// A line to a server on which connections are slow, stand still and break, each by a plan that follows from a seed and from its number. It reorders
/// nothing and changes no byte.
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

    /// <param name="server">Where the server is; null while there is none.</param>
    /// <param name="seed">What all follows from.</param>
    /// <param name="counts">What happens is counted there.</param>
    public FaultyLine(Func<Uri?> server, int seed, FaultCounts counts)
    {
        (_server, _random, _counts) = (server, new Random(seed), counts);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Tells how long the next request will be, so that a cut falls into it.</summary>
    public void Expect(int requestLength) => _requestLength = requestLength;

    /// <summary>Cuts all that is left.</summary>
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
