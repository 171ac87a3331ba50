using System.Globalization;
using System.Net.Sockets;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Nodes;

/// <summary>An upload whose client loses its connection again and again, and continues at a random node each time.</summary>
/// <param name="name">Its id and file name.</param>
/// <param name="protocol">The protocol.</param>
/// <param name="source">The content.</param>
/// <param name="seed">Decides the nodes and the cuts.</param>
internal sealed class HoppingUpload(string name, WireProtocol protocol, byte[] source, int seed) : IAsyncDisposable
{
    /// <summary>Leaves time for the rest of the test before its timeout.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(7);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Random _random = new(seed);
    private readonly List<RawConnection> _halfOpen = [];
    private string? _url = protocol.KnownUrl;
    private long _acknowledged;
    private bool _isComplete;
    private RawResponse? _last;

    public string Name => name;

    public byte[] Source => source;

    /// <summary>Gets the number of requests that the client has cut.</summary>
    public int Cuts { get; private set; }

    /// <summary>Gets the number of responses that another node has taken over the upload.</summary>
    public int TakenOver { get; private set; }

    /// <summary>Sends the upload until it is complete.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="cut">Called after each cut. The upload waits for it.</param>
    public async Task SendAsync(NodePair nodes, Func<Task> cut)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!_isComplete)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < MaxTime, $"{name}: {_acknowledged} of {source.Length} bytes are stored; the last response was {_last?.Status} {_last?.Body}");
            (int cuts, long offset) = (Cuts, _acknowledged);
            try
            {
                await StepAsync(nodes[_random.Next(2)].Address);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // The node was killed, or starts again.
            }

            if (Cuts > cuts)
            {
                await cut();
            }
            else if (_acknowledged == offset)
            {
                // The upload is locked by a node that ends, or no node listens.
                await Task.Delay(Pause, TimeProvider.System);
            }
        }
    }

    /// <summary>Reads the responses of the half-open connections, as far as their nodes are alive.</summary>
    public async Task ReadHalfOpenAsync()
    {
        foreach (RawConnection connection in _halfOpen)
        {
            try
            {
                TakenOver += await connection.ReadResponseAsync() is { } response && response.Body.Contains("taken-over", StringComparison.Ordinal) ? 1 : 0;
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // The node of the connection was killed.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RawConnection connection in _halfOpen)
        {
            await connection.DisposeAsync();
        }
    }

    private async Task StepAsync(Uri node)
    {
        if (_url is null)
        {
            await CreateAsync(node);
        }
        else if (await GetOffsetAsync(node) is { } offset && !_isComplete)
        {
            await AppendAsync(node, offset);
        }
    }

    /// <summary>Creates the upload with a part of its bytes. If the response is lost, the client creates another upload, and the first one never completes.</summary>
    private async Task CreateAsync(Uri node)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(node);
        (string line, string[] headers) = protocol.Create(name, source.Length);
        int length = _random.Next(source.Length / 2);
        await connection.SendHeadAsync(line, [.. headers, $"Content-Length: {length}"]);
        await connection.SendAsync(source.AsMemory(0, length));
        if (await connection.ReadResponseAsync() is { } response)
        {
            Assert.True(response.Status is 201 or 503, $"{name}: {response.Status} {response.Body}");
            _url = response.Header("Location");
            Acknowledge(response);
        }
    }

    /// <summary>Returns the offset, or null if the node cannot tell it now.</summary>
    private async Task<long?> GetOffsetAsync(Uri node)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(node);
        (string line, string[] headers) = protocol.Status(name, _url!);
        await connection.SendHeadAsync(line, headers);
        if (await connection.ReadResponseAsync(toHead: true) is not { } response)
        {
            return null;
        }

        _last = response;
        Assert.True(response.Status is 200 or 204 or 423 or 503, $"{name}: status {response.Status}");
        return response.Status is 200 or 204 ? Acknowledge(response) : null;
    }

    private async Task AppendAsync(Uri node, long offset)
    {
        RawConnection connection = await RawConnection.OpenAsync(node);
        bool isHalfOpen = false;
        try
        {
            (string line, string[] headers) = protocol.Append(name, _url!, offset, source.Length);
            int length = Math.Min((int)(source.Length - offset), 1 + _random.Next(source.Length / 3));
            await connection.SendHeadAsync(line, [.. headers, $"Content-Length: {source.Length - offset}"]);
            await connection.SendAsync(source.AsMemory((int)offset, length));
            if (offset + length < source.Length)
            {
                Cuts++;
                isHalfOpen = _random.Next(2) == 0;
                return;
            }

            if (await connection.ReadResponseAsync() is { } response)
            {
                // 500 is not accepted, and 404 neither: the upload exists.
                Assert.True(response.Status is 200 or 201 or 204 or 400 or 409 or 423 or 503, $"{name}: {response.Status} {response.Body}");
                Acknowledge(response);
            }
        }
        finally
        {
            if (isHalfOpen)
            {
                _halfOpen.Add(connection);
            }
            else
            {
                connection.Reset();
                await connection.DisposeAsync();
            }
        }
    }

    private long? Acknowledge(RawResponse response)
    {
        _last = response;
        if (response.Header(protocol.OffsetHeader) is not { } header)
        {
            return null;
        }

        long offset = long.Parse(header, CultureInfo.InvariantCulture);
        Assert.True(offset >= _acknowledged, $"{name}: {_acknowledged} bytes were acknowledged, and {offset} are stored.");
        Assert.InRange(offset, 0, source.Length);
        _acknowledged = offset;
        _isComplete |= protocol.IsComplete(response, offset == source.Length);
        return offset;
    }
}
