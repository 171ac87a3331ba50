using System.Buffers;
using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

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
/// <param name="ReadTrailer">Asks for it once the body has ended; null from it: it was promised and did not come, or cannot be read.</param>
internal sealed record BodyDigest(Digest? Known, Func<Digest?>? ReadTrailer = null)
{
    public static BodyDigest? From(Digest? known) => known is null ? null : new BodyDigest(known);
}

/// <summary>Hashes bytes as they pass, for up to two digests: of this body, and of the whole content.</summary>
internal sealed class IncrementalDigest : IDisposable
{
    private readonly BodyDigest? _contentDigest;
    private readonly Digest? _reprDigest;
    private readonly Dictionary<DigestAlgorithm, IIncrementalHash> _contentHashes;
    private readonly IIncrementalHash? _reprHash;

    public IncrementalDigest(BodyDigest? body, Digest? whole)
    {
        _contentDigest = body;
        _reprDigest = whole;
        _contentHashes = body switch
        {
            null => [],
            { Known: { } known } => new() { [known.Algorithm] = known.Algorithm.CreateHash() },
            _ => DigestAlgorithm.All.ToDictionary(static algorithm => algorithm, static algorithm => algorithm.CreateHash()),
        };
        _reprHash = whole?.Algorithm.CreateHash();
    }

    /// <summary>Whether the digest that was to come behind the body did not come, or cannot be read.</summary>
    public bool IsContentDigestMissing { get; private set; }

    /// <summary>Asked when the body has ended.</summary>
    public bool ContentDigestMatches
    {
        get
        {
            if (_contentDigest is null)
            {
                return true;
            }

            Digest? digest = _contentDigest.Known ?? _contentDigest.ReadTrailer?.Invoke();
            IsContentDigestMissing = digest is null;
            return digest is not null && digest.Matches(_contentHashes[digest.Algorithm].GetCurrentHash());
        }
    }

    public bool ReprDigestMatches => _reprDigest is null || _reprDigest.Matches(_reprHash!.GetCurrentHash());

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            foreach (IIncrementalHash hash in _contentHashes.Values)
            {
                hash.Append(segment.Span);
            }

            _reprHash?.Append(segment.Span);
        }
    }

    /// <summary>Hashes what the store has already, for the digest of the whole.</summary>
    public ValueTask AppendStoredAsync(Stream stored, CancellationToken cancellationToken) =>
        _reprHash?.AppendAsync(stored, cancellationToken) ?? ValueTask.CompletedTask;

    public void Dispose()
    {
        foreach (IIncrementalHash hash in _contentHashes.Values)
        {
            hash.Dispose();
        }

        _reprHash?.Dispose();
    }
}
