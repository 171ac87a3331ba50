using System.Globalization;
using System.Net;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>An upload by a client that retries while servers stop and start, and verifies what they report.</summary>
/// <param name="name">Its id and file name.</param>
/// <param name="source">The content.</param>
/// <param name="seed">Decides how the content is split into requests.</param>
internal sealed class RetryingUpload(string name, byte[] source, int seed)
{
    /// <summary>Includes the time during which no server listens. Less than the timeout of the test.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(9);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Random _random = new(seed);
    private long _acknowledged;

    public string Name => name;

    public byte[] Source => source;

    /// <summary>Gets how often a server responded that it is stopping.</summary>
    public int Stopping { get; private set; }

    /// <summary>Gets how often there was no server or the response was lost.</summary>
    public int Lost { get; private set; }

    /// <summary>Sends until the upload is complete.</summary>
    /// <param name="server">Returns the client of the next server.</param>
    /// <param name="limit">Returns the number of bytes that may have been sent so far.</param>
    public async Task SendAsync(Func<HttpClient> server, Func<int> limit)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < MaxTime)
        {
            try
            {
                if (await TryAsync(server(), limit()))
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException or TaskCanceledException)
            {
                Lost++;
            }

            await Task.Delay(Pause, TimeProvider.System);
        }

        Assert.Fail($"{name} did not complete in {MaxTime}; {_acknowledged} of {source.Length} bytes are stored.");
    }

    /// <summary>Requests the status, sends one chunk, and returns whether it was the last.</summary>
    private async Task<bool> TryAsync(HttpClient client, int limit)
    {
        long offset = await client.StatusAsync(name);
        Acknowledge(offset);
        int length = (int)Math.Min(Math.Min(limit, source.Length) - offset, 1 + _random.Next(60_000));
        if (length <= 0 && offset < source.Length)
        {
            return false;
        }

        using var body = new SlowContent(source.AsMemory((int)offset, length));
        using HttpResponseMessage response = await client.AppendAsync(name, offset, body, source.Length, headers: ("X-File-Name", name));
        if (response.Header("X-Start-Byte") is { } reported)
        {
            Acknowledge(long.Parse(reported, CultureInfo.InvariantCulture));
        }

        string text = await response.Content.ReadAsStringAsync();
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                return response.Header("X-Upload-Complete") == "true";
            case HttpStatusCode.ServiceUnavailable:
                Assert.NotNull(response.Headers.RetryAfter);
                Stopping += text.Contains("shutting-down", StringComparison.Ordinal) ? 1 : 0;
                return false;

            // An earlier request of this client whose end the other process has not noticed yet.
            case HttpStatusCode.Conflict:
                return false;
            default:
                Assert.Fail($"{name}: {(int)response.StatusCode} at {offset}: {text}");
                return false;
        }
    }

    private void Acknowledge(long offset)
    {
        Assert.True(offset >= _acknowledged, $"{name}: {_acknowledged} bytes were acknowledged, and {offset} are stored.");
        Assert.InRange(offset, 0, source.Length);
        _acknowledged = offset;
    }

    /// <summary>Sends bytes slowly, so that there are always requests in progress.</summary>
    private sealed class SlowContent(ReadOnlyMemory<byte> bytes) : HttpContent
    {
        private const int Chunk = 8000;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty; rest = rest[Math.Min(Chunk, rest.Length)..])
            {
                await stream.WriteAsync(rest[..Math.Min(Chunk, rest.Length)]);
                await stream.FlushAsync();
                await Task.Delay(Pause, TimeProvider.System);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
