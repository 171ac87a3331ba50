using System.Diagnostics;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>Clients with one upload each, which send chunks one after the other. They share few threads, so that they do not disturb the measurement.</summary>
/// <param name="kind">The server.</param>
/// <param name="count">The number of clients.</param>
/// <param name="pause">The pause of a client between two chunks.</param>
internal sealed class ChunkClients(ServerKind kind, int count, TimeSpan pause)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private readonly ChunkClient[] _clients = [.. Enumerable.Range(0, count).Select(_ => new ChunkClient(kind))];
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Creates the uploads with a first chunk.</summary>
    public void Create(int port) => Parallel.ForEachAsync(
        _clients, new ParallelOptions { MaxDegreeOfParallelism = 16 }, (client, cancellationToken) => client.CreateAsync(port, cancellationToken)).GetAwaiter().GetResult();

    /// <summary>Starts to send chunks.</summary>
    public void Start(int port) => _running = Task.WhenAll(_clients.Select(client => Task.Run(() => client.RunAsync(port, pause, _stop.Token))));

    /// <summary>Stops the clients. Their pending requests are not awaited.</summary>
    public void Stop()
    {
        _stop.Cancel();
        _running.GetAwaiter().GetResult();
    }

    /// <summary>Returns the number of chunks that were acknowledged in a time.</summary>
    public int CountAcknowledged(long from, long to) => _clients.Sum(client => client.Count(chunk => chunk.Acknowledged >= from && chunk.Acknowledged < to));

    /// <summary>Returns the number of chunks that were both sent and acknowledged in a time.</summary>
    public int CountSentAndAcknowledged(long from, long to) => _clients.Sum(client => client.Count(chunk => chunk.Sent >= from && chunk.Acknowledged < to));

    /// <summary>Waits until each client has a response for a chunk that it has sent after a time.</summary>
    /// <returns>The number of clients that have one.</returns>
    public int WaitForAll(long sentAfter, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        int continued;
        while ((continued = _clients.Count(client => client.Count(chunk => chunk.Sent > sentAfter) > 0)) < count && Stopwatch.GetElapsedTime(start) < timeout)
        {
            Task.Delay(PollInterval, TimeProvider.System).Wait();
        }

        return continued;
    }
}
