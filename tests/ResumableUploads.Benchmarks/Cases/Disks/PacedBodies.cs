using System.Net.Sockets;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>Clients that each send one large body at 10 MB/s, if the server receives it as fast.</summary>
internal sealed class PacedBodies
{
    private const int Block = 1_000_000;
    private const long Size = 1L << 30;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly byte[] Content = new byte[Block];
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private long _sent;

    /// <summary>Gets the number of sent bytes.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public void Start(int port, int count) => _running = Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(() => SendAsync(port, _stop.Token))));

    public void Stop()
    {
        _stop.Cancel();
        _running.GetAwaiter().GetResult();
    }

    private async Task SendAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using RawHttpConnection connection = RawHttpConnection.Open(port);
            using var timer = new PeriodicTimer(Interval);
            await connection.SendAsync(UploadProtocol.FileId.Create(UploadProtocol.NewName(), Size, Size), cancellationToken);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await connection.SendAsync(Content, cancellationToken);
                Interlocked.Add(ref _sent, Block);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The measurement is over, or the server has closed the connection, which the number of sent bytes shows.
        }
    }
}
