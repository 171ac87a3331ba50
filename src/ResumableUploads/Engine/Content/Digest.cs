using System.Buffers;
using System.Security.Cryptography;

namespace ResumableUploads.Engine.Content;

/// <summary>A digest that a client announced: an algorithm that the server knows, and the value.</summary>
internal sealed record Digest(DigestAlgorithm Algorithm, ReadOnlyMemory<byte> Value)
{
    /// <summary>Reads a text as <see cref="ToString"/> writes it.</summary>
    public static Digest Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return new Digest(
            DigestAlgorithm.All.First(algorithm => text.AsSpan(0, equals).SequenceEqual(algorithm.Name)),
            Convert.FromBase64String(text[(equals + 1)..].Trim(':')));
    }

    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Value.Span, hash);

    /// <summary>As a member of the dictionary of RFC 9530: <c>sha-256=:base64:</c>.</summary>
    public override string ToString() => $"{Algorithm.Name}=:{Convert.ToBase64String(Value.Span)}:";
}

/// <summary>
/// A digest of a body, which may be told only behind it (in a trailer): then all algorithms that it may name run along.
/// </summary>
/// <param name="Known">The digest, where it was told before the body.</param>
/// <param name="Behind">Asks for it once the body has ended; null from it: it was promised and did not come, or cannot be read.</param>
internal sealed record BodyDigest(Digest? Known, Func<Digest?>? Behind = null)
{
    public static BodyDigest? From(Digest? known) => known is null ? null : new BodyDigest(known);
}

/// <summary>Hashes bytes as they pass, for up to two digests: of this body, and of the whole content.</summary>
internal sealed class IncrementalDigest : IDisposable
{
    private readonly BodyDigest? _body;
    private readonly Digest? _whole;
    private readonly Dictionary<DigestAlgorithm, IRunningHash> _bodyHashes;
    private readonly IRunningHash? _wholeHash;

    public IncrementalDigest(BodyDigest? body, Digest? whole)
    {
        _body = body;
        _whole = whole;
        _bodyHashes = body switch
        {
            null => [],
            { Known: { } known } => new() { [known.Algorithm] = known.Algorithm.Begin() },
            _ => DigestAlgorithm.All.ToDictionary(static algorithm => algorithm, static algorithm => algorithm.Begin()),
        };
        _wholeHash = whole?.Algorithm.Begin();
    }

    /// <summary>Whether the digest that was to come behind the body did not come, or cannot be read.</summary>
    public bool IsMissing { get; private set; }

    /// <summary>Asked when the body has ended.</summary>
    public bool ContentMatches
    {
        get
        {
            if (_body is null)
            {
                return true;
            }

            Digest? digest = _body.Known ?? _body.Behind?.Invoke();
            IsMissing = digest is null;
            return digest is not null && digest.Matches(_bodyHashes[digest.Algorithm].Current());
        }
    }

    public bool WholeMatches => _whole is null || _whole.Matches(_wholeHash!.Current());

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            foreach (IRunningHash hash in _bodyHashes.Values)
            {
                hash.Append(segment.Span);
            }

            _wholeHash?.Append(segment.Span);
        }
    }

    /// <summary>Hashes what the store has already, for the digest of the whole.</summary>
    public ValueTask AppendBeforeAsync(Stream stored, CancellationToken cancellationToken) =>
        _wholeHash?.AppendAsync(stored, cancellationToken) ?? ValueTask.CompletedTask;

    public void Dispose()
    {
        foreach (IRunningHash hash in _bodyHashes.Values)
        {
            hash.Dispose();
        }

        _wholeHash?.Dispose();
    }
}
