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

/// <summary>What a server says of an upload.</summary>
internal sealed record Told(long Offset, bool IsComplete);

/// <summary>
/// A client that sends one content and goes on after every fault, as its protocol wants. It does not know where bytes were lost: it asks. It believes
/// nothing that it is told.
/// </summary>
internal abstract class Sender(IUploadServer server, string name, byte[] content, Random random, FaultCounts counts)
{
    private const int MaxTries = 200;
    private static readonly Uri Origin = new("http://localhost");
    private static readonly TimeSpan BeforeAgain = TimeSpan.FromMilliseconds(50);

    private readonly int _pieceSize = random.Next(3) == 0 ? content.Length : random.Next((content.Length / 12) + 1, content.Length + 1);
    private readonly bool _hasDigests = random.Next(4) == 0;
    private readonly bool _isOpen = random.Next(3) == 0;
    private long _told;
    private long _sent;
    private bool _isLater;

    /// <summary>The name of the upload in the store; null where the client has none yet.</summary>
    public abstract UploadKey? Key { get; }

    public string Name => name;

    /// <summary>Where the client believes the upload to end; null: it has to ask.</summary>
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

    /// <summary>Sends until there is an end.</summary>
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

            // A server that is slower than a client is patient needs a client that is more so each time.
            var patience = TimeSpan.FromMilliseconds(random.Next(200, 400) + (tries * 5));
            if (await StepAsync(wire, patience) is { } ending)
            {
                return ending;
            }
        }

        throw new NetworkFault($"The upload has not come to its end in {MaxTries} tries; {_told} of {content.Length} bytes are told.");
    }

    /// <summary>Asks how far the upload is; null: no answer. An upload that is not there has no bytes.</summary>
    public abstract Task<Told?> AskAsync(IWire wire, TimeSpan patience);

    /// <summary>Asks for the last answer of an upload of which all bytes were taken; null: there is none yet.</summary>
    public virtual Task<Told?> ConcludeAsync(IWire wire, TimeSpan patience) => AskAsync(wire, patience);

    /// <summary>Makes one request; null: there is more to do.</summary>
    protected abstract Task<Ending?> StepAsync(IWire wire, TimeSpan patience);

    protected async Task<WireAnswer> SendAsync(IWire wire, TimeSpan patience, string method, string path, (string Name, string Value)[] headers, Range? piece = null)
    {
        counts.Add("requests");
        int from = piece?.GetOffsetAndLength(content.Length).Offset ?? 0;
        var request = new WireRequest(method, path, headers, piece is { } range ? content.AsMemory(range) : (ReadOnlyMemory<byte>?)null, _isOpen)
        {
            Slice = random.Next(2) == 0 ? int.MaxValue : random.Next((content.Length / 50) + 1, content.Length + 1),
            Sending = count => _sent = Math.Max(_sent, from + count),
        };
        int full = server.FullMoments;
        WireAnswer answer = await wire.SendAsync(request, patience);
        if (answer.Status == 507 && full % 2 == 0 && full == server.FullMoments)
        {
            throw new NetworkFault($"The disk has room, and the answer to {method} is {answer}.");
        }

        _isLater = answer.Status is 503 or 507;
        if (answer is { Status: 400, Body: "" } && answer.Header("Connection") == "close" && answer.Header("Content-Type") is null)
        {
            // The web server has seen less than a request, and the uploads nothing.
            answer = WireAnswer.None;
        }

        counts.Add(answer.Status is { } status ? $"answers {status}" : "answers lost");
        foreach (var interim in answer.Interim)
        {
            counts.Add("interim");
            if (interim["Upload-Offset"].FirstOrDefault() is { } told)
            {
                await HearAsync(long.Parse(told, CultureInfo.InvariantCulture));
            }
        }

        return answer;
    }

    /// <summary>The next piece: at most one that ends the content.</summary>
    protected Range Piece(long at) => (int)at..(int)Math.Min(at + _pieceSize, content.Length);

    /// <summary>A digest of a piece, for some uploads.</summary>
    protected (string Name, string Value)[] DigestOf(Range piece, Func<string, (string Name, string Value)> header) =>
        _hasDigests ? [header(Convert.ToBase64String(SHA256.HashData(content.AsSpan(piece))))] : [];

    /// <summary>A new upload.</summary>
    protected void Forget() => (_told, _sent, At) = (0, 0, 0);

    /// <summary>After no answer: mostly the client asks, and now and then it sends the same again, which is to be refused if it is not what comes next.</summary>
    protected void Lost() => At = random.Next(4) == 0 ? At : null;

    /// <summary>Sees whether an offset that is told can be true.</summary>
    protected async Task HearAsync(long offset)
    {
        if (offset < _told)
        {
            throw new NetworkFault($"{offset} is told, after {_told}.");
        }

        if (offset > _sent)
        {
            throw new NetworkFault($"{offset} is told, and {_sent} bytes were sent.");
        }

        _told = offset;
        if (offset > 0)
        {
            await SeeThereAsync(offset);
        }
    }

    /// <summary>Sees whether so much is there.</summary>
    private async Task SeeThereAsync(long offset)
    {
        if (server.Store is not { } store)
        {
            return;
        }

        long there = (Key is { } key ? await store.GetAsync(key, CancellationToken.None) : null)?.Offset ?? 0;
        if (offset > there)
        {
            throw new NetworkFault($"{offset} is told, and {there} bytes are there.");
        }

        if (random.Next(4) == 0)
        {
            await SeePrefixAsync();
        }
    }

    /// <summary>What a refusal says of the offset has to be true as well.</summary>
    protected async Task RefusedAsync(WireAnswer answer, string header)
    {
        if (answer.Number(header) is { } offset && Key is not null)
        {
            await HearAsync(offset);
        }

        At = null;
    }

    /// <summary>The answer to a piece that was taken whole.</summary>
    protected async Task TakenAsync(long? offset, Range piece)
    {
        int end = piece.End.Value;
        if (offset != end)
        {
            throw new NetworkFault($"{offset} is told after all bytes up to {end} were taken.");
        }

        await HearAsync(end);
        At = end;
    }

    /// <summary>Whether the server says with a problem of its own that the piece was not taken whole, or not now: the client asks where to go on.</summary>
    protected static bool IsCutOrLater(WireAnswer answer) => answer.Header("Content-Type")?.StartsWith("application/problem+json", StringComparison.Ordinal) == true
        && answer.Status switch { 400 => answer.Body.Contains(":interrupted", StringComparison.Ordinal), 408 or 409 or 423 or 507 => true, 503 => !answer.Body.Contains(":storage-failed", StringComparison.Ordinal), _ => false };

    /// <summary>The path of a URL that a server gave; the next server has another port.</summary>
    protected static string PathOf(string location) => new Uri(Origin, location).PathAndQuery;

    protected static NetworkFault Unexpected(string what, WireAnswer answer) => new($"The answer to {what} is {answer}.");

    /// <summary>Sees whether what is stored is how the content begins.</summary>
    public async Task SeePrefixAsync()
    {
        if (Key is { } key && server.Store is { } store && await store.OpenReadAsync(key, CancellationToken.None) is { } stream)
        {
            await using (stream)
            {
                using var stored = new MemoryStream();
                await stream.CopyToAsync(stored);
                if (!content.AsSpan().StartsWith(stored.ToArray()))
                {
                    throw new NetworkFault($"The {stored.Length} bytes that are stored are not how the content begins.");
                }
            }
        }
    }
}
