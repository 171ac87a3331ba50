using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>How an upload ended.</summary>
internal enum Ending
{
    Done,
    Refused,
}

/// <summary>The status of an upload as reported by a server.</summary>
internal sealed record ReportedStatus(long Offset, bool IsComplete);

/// <summary>
/// A client that sends one content and resumes after every fault as its protocol requires. It requests the offset after a fault, and verifies
/// everything that the server reports.
/// </summary>
internal abstract class Sender(IUploadServer server, string name, byte[] content, Random random, FaultCounts counts)
{
    private const int MaxTries = 200;
    private const double TimeoutGrowth = 1.1;
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromSeconds(30);
    private static readonly Uri Origin = new("http://localhost");
    private static readonly TimeSpan BeforeAgain = TimeSpan.FromMilliseconds(50);

    private readonly int _chunkSize = random.Next(3) == 0 ? content.Length : random.Next((content.Length / 12) + 1, content.Length + 1);
    private readonly bool _hasDigests = random.Next(4) == 0;
    private readonly bool _isOpen = random.Next(3) == 0;
    private long _reported;
    private long _sent;
    private bool _isLater;
    private int _lost;

    /// <summary>Gets the key of the upload in the store, or null if the client does not know it yet.</summary>
    public abstract UploadKey? Key { get; }

    public string Name => name;

    /// <summary>Gets or sets the offset that the client assumes, or null if it has to request the status.</summary>
    protected long? At { get; set; }

    protected IUploadServer Server => server;

    protected Random Random => random;

    protected byte[] Content => content;

    protected bool IsTooLarge => content.Length > NetworkApp.MaxUploadSize;

    public static Sender Of(string protocol, IUploadServer server, string name, byte[] content, Random random, FaultCounts counts) => protocol switch
    {
        "file-id" => new FileIdSender(server, name, content, random, counts),
        "tus" => new TusSender(server, name, content, random, counts),
        _ => new IetfSender(server, name, content, random, counts),
    };

    /// <summary>Sends until the upload ends.</summary>
    public async Task<Ending> RunAsync(IWire wire, CancellationToken cancellationToken)
    {
        for (int tries = 0; tries < MaxTries; tries++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await server.ReadyAsync(cancellationToken);
            if (_isLater)
            {
                await Task.Delay(BeforeAgain, TimeProvider.System, cancellationToken);
            }

            // The timeout grows with each lost response, for a server that is slower than the client expects.
            TimeSpan timeout = TimeSpan.FromMilliseconds(random.Next(200, 400)) * Math.Pow(TimeoutGrowth, _lost);
            timeout = timeout < MaxTimeout ? timeout : MaxTimeout;
            if (await StepAsync(wire, timeout) is { } ending)
            {
                return ending;
            }
        }

        throw new NetworkTestException($"The upload has not completed in {MaxTries} tries; the server reported {_reported} of {content.Length} bytes.");
    }

    /// <summary>Requests the status. Returns null if there is no response. The offset is 0 if the upload does not exist.</summary>
    public abstract Task<ReportedStatus?> AskAsync(IWire wire, TimeSpan timeout);

    /// <summary>Requests the final response of an upload whose bytes are all stored. Returns null if it is not available yet.</summary>
    public virtual Task<ReportedStatus?> ConcludeAsync(IWire wire, TimeSpan timeout) => AskAsync(wire, timeout);

    /// <summary>Sends one request. Returns null if the upload has not ended.</summary>
    protected abstract Task<Ending?> StepAsync(IWire wire, TimeSpan timeout);

    protected async Task<WireResponse> SendAsync(IWire wire, TimeSpan timeout, string method, string path, (string Name, string Value)[] headers, Range? piece = null)
    {
        counts.Add("requests");
        int from = piece?.GetOffsetAndLength(content.Length).Offset ?? 0;
        var request = new WireRequest(method, path, headers, piece is { } range ? content.AsMemory(range) : (ReadOnlyMemory<byte>?)null, _isOpen)
        {
            Slice = random.Next(2) == 0 ? int.MaxValue : random.Next((content.Length / 50) + 1, content.Length + 1),
            Sending = count => _sent = Math.Max(_sent, from + count),
        };
        int full = server.FullMoments;
        WireResponse response = await wire.SendAsync(request, timeout);
        if (response.Status == 507 && full % 2 == 0 && full == server.FullMoments)
        {
            throw new NetworkTestException($"The disk has space, but the response to {method} is {response}.");
        }

        _isLater = response.Status is 503 or 507;
        if (response is { Status: 400, Body: "" } && response.Header("Connection") == "close" && response.Header("Content-Type") is null)
        {
            // The web server received an incomplete request and did not pass it on.
            response = WireResponse.None;
        }

        _lost += response.Status is null ? 1 : 0;
        counts.Add(response.Status is { } status ? $"responses {status}" : "responses lost");
        foreach (var interim in response.Interim)
        {
            counts.Add("interim");
            if (interim["Upload-Offset"].FirstOrDefault() is { } reported)
            {
                await CheckOffsetAsync(long.Parse(reported, CultureInfo.InvariantCulture));
            }
        }

        return response;
    }

    /// <summary>Returns the range of the next chunk.</summary>
    protected Range Chunk(long at) => (int)at..(int)Math.Min(at + _chunkSize, content.Length);

    /// <summary>Returns a digest of a chunk, for some uploads.</summary>
    protected (string Name, string Value)[] DigestOf(Range piece, Func<string, (string Name, string Value)> header) =>
        _hasDigests ? [header(Convert.ToBase64String(SHA256.HashData(content.AsSpan(piece))))] : [];

    /// <summary>Starts a new upload.</summary>
    protected void Forget() => (_reported, _sent, At) = (0, 0, 0);

    /// <summary>
    /// Handles a lost response: usually the client requests the status. Sometimes it repeats the chunk, which must be rejected if its offset is not
    /// the current one.
    /// </summary>
    protected void Lost() => At = random.Next(4) == 0 ? At : null;

    /// <summary>Verifies a reported offset.</summary>
    protected async Task CheckOffsetAsync(long offset)
    {
        if (offset < _reported)
        {
            throw new NetworkTestException($"The server reported offset {offset} after {_reported}.");
        }

        if (offset > _sent)
        {
            throw new NetworkTestException($"The server reported offset {offset}, but {_sent} bytes were sent.");
        }

        _reported = offset;
        if (offset > 0)
        {
            await AssertStoredAsync(offset);
        }
    }

    /// <summary>Asserts that at least this many bytes are stored.</summary>
    private async Task AssertStoredAsync(long offset)
    {
        if (server.Store is not { } store)
        {
            return;
        }

        long there = (Key is { } key ? await store.GetAsync(key, CancellationToken.None) : null)?.Offset ?? 0;
        if (offset > there)
        {
            throw new NetworkTestException($"The server reported offset {offset}, but {there} bytes are stored.");
        }

        if (random.Next(4) == 0)
        {
            await AssertPrefixAsync();
        }
    }

    /// <summary>Verifies the offset in a rejection.</summary>
    protected async Task RefusedAsync(WireResponse response, string header)
    {
        if (response.Number(header) is { } offset && Key is not null)
        {
            await CheckOffsetAsync(offset);
        }

        At = null;
    }

    /// <summary>Handles the response to a chunk that was stored completely.</summary>
    protected async Task TakenAsync(long? offset, Range piece)
    {
        int end = piece.End.Value;
        if (offset != end)
        {
            throw new NetworkTestException($"The server reported offset {offset} after it had stored all bytes up to {end}.");
        }

        await CheckOffsetAsync(end);
        At = end;
    }

    /// <summary>
    /// Returns whether a problem response says that the chunk was not stored completely, or should be retried later, so that the client requests the
    /// offset. A chunk can be preempted by an earlier one of the same sender that the network delivers late.
    /// </summary>
    protected static bool IsCutOrLater(WireResponse response) => response.Header("Content-Type")?.StartsWith("application/problem+json", StringComparison.Ordinal) == true
        && response.Status switch { 400 => response.Body.Contains(":interrupted", StringComparison.Ordinal) || response.Body.Contains(":taken-over", StringComparison.Ordinal), 408 or 409 or 423 or 507 => true, 503 => !response.Body.Contains(":storage-failed", StringComparison.Ordinal), _ => false };

    /// <summary>Returns the path of a URL. The next server listens on another port.</summary>
    protected static string PathOf(string location) => new Uri(Origin, location).PathAndQuery;

    protected static NetworkTestException Unexpected(string what, WireResponse response) => new($"The response to {what} is {response}.");

    /// <summary>Asserts that the stored bytes are a prefix of the content.</summary>
    public async Task AssertPrefixAsync()
    {
        if (Key is { } key && server.Store is { } store && await store.OpenReadAsync(key, CancellationToken.None) is { } stream)
        {
            await using (stream)
            {
                using var stored = new MemoryStream();
                await stream.CopyToAsync(stored);
                if (!content.AsSpan().StartsWith(stored.ToArray()))
                {
                    throw new NetworkTestException($"The {stored.Length} stored bytes are not a prefix of the content.");
                }
            }
        }
    }
}
