using System.Diagnostics;
using System.Net.Sockets;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>Sends chunks to one upload. After an error it reconnects and requests the offset.</summary>
internal sealed class ChunkClient(ServerKind kind)
{
    private const int ChunkSize = 4096;
    private const long Size = 64 << 20;
    private static readonly byte[] Content = new byte[ChunkSize];
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private readonly string _name = UploadProtocol.NewName();
    private readonly List<AcknowledgedChunk> _chunks = [];
    private long _offset;

    public int Count(Func<AcknowledgedChunk, bool> predicate)
    {
        lock (_chunks)
        {
            return _chunks.Count(predicate);
        }
    }

    public async ValueTask CreateAsync(int port, CancellationToken cancellationToken)
    {
        using RawHttpConnection connection = RawHttpConnection.Open(port);
        if (!await TrySendAsync(connection, cancellationToken))
        {
            throw new InvalidOperationException("The server did not create an upload.");
        }
    }

    public async Task RunAsync(int port, TimeSpan pause, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using RawHttpConnection connection = RawHttpConnection.Open(port);
                if (_offset < 0)
                {
                    await RequestOffsetAsync(connection, cancellationToken);
                }

                while (await TrySendAsync(connection, cancellationToken))
                {
                    await Task.Delay(pause, TimeProvider.System, cancellationToken);
                }

                await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                await Task.Delay(RetryDelay, TimeProvider.System, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            // The bare server has no offset; the chunk is sent again.
            _offset = kind == ServerKind.Ours ? -1 : _offset;
        }
    }

    private async Task RequestOffsetAsync(RawHttpConnection connection, CancellationToken cancellationToken)
    {
        await connection.SendAsync(UploadProtocol.FileId.Status(_name), cancellationToken);
        RawHttpResponse response = await connection.ReadResponseAsync(cancellationToken);
        _offset = response.Status == 200 ? response.Number : throw new IOException("The server did not return the offset.");
    }

    private async ValueTask<bool> TrySendAsync(RawHttpConnection connection, CancellationToken cancellationToken)
    {
        byte[] head = kind == ServerKind.Ours
            ? UploadProtocol.FileId.Append(_name, _offset, ChunkSize, Size)
            : RawHttpConnection.CreateRequestHead("POST /append", $"X-File-Id: {_name}", $"X-Start-Byte: {_offset}", $"Content-Length: {ChunkSize}");
        long sent = Stopwatch.GetTimestamp();
        await connection.SendAsync((byte[])[.. head, .. Content], cancellationToken);
        RawHttpResponse response = await connection.ReadResponseAsync(cancellationToken);
        if (response.Status != 200 || response.Number != _offset + ChunkSize)
        {
            return false;
        }

        _offset = response.Number;
        lock (_chunks)
        {
            _chunks.Add(new AcknowledgedChunk(sent, Stopwatch.GetTimestamp()));
        }

        return true;
    }
}

/// <summary>The timestamps before the first byte of a request was sent and after its response with a new offset was received.</summary>
internal readonly record struct AcknowledgedChunk(long Sent, long Acknowledged);
