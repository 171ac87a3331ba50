using System.Buffers;

namespace ResumableUploads.Engine.Digests;

/// <summary>Hashes bytes as they arrive, to verify the digest of the body, the digest of the whole content, or both.</summary>
internal sealed class IncrementalDigest : IDisposable
{
    private readonly BodyDigest? _contentDigest;
    private readonly Digest? _reprDigest;
    private readonly Dictionary<DigestAlgorithm, IIncrementalHash> _contentHashes;
    private IIncrementalHash? _reprHash;

    public IncrementalDigest(BodyDigest? contentDigest, Digest? reprDigest)
    {
        _contentDigest = contentDigest;
        _reprDigest = reprDigest;
        _contentHashes = contentDigest switch
        {
            null => [],
            { Expected: { } expected } => new() { [expected.Algorithm] = expected.Algorithm.CreateHash() },
            _ => DigestAlgorithm.All.ToDictionary(static algorithm => algorithm, static algorithm => algorithm.CreateHash()),
        };
        _reprHash = reprDigest?.Algorithm.CreateHash();
    }

    /// <summary>Gets whether the digest in the trailer is missing or malformed. Set by <see cref="ContentDigestMatches"/>.</summary>
    public bool IsContentDigestMissing { get; private set; }

    /// <summary>Gets whether the body matches its digest. Reads the trailer, so the body must have ended.</summary>
    public bool ContentDigestMatches
    {
        get
        {
            if (_contentDigest is null)
            {
                return true;
            }

            Digest? digest = _contentDigest.Expected ?? _contentDigest.ReadTrailer?.Invoke();
            IsContentDigestMissing = digest is null;
            return digest is not null && digest.Matches(_contentHashes[digest.Algorithm].GetCurrentHash());
        }
    }

    /// <summary>Gets whether the whole content matches its digest. All bytes must have been appended.</summary>
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

    /// <summary>Sets the hash of the bytes before the body, which are already stored. Only the digest of the whole content includes them.</summary>
    public void SetStoredHash(IIncrementalHash hash)
    {
        _reprHash?.Dispose();
        _reprHash = hash;
    }

    public void Dispose()
    {
        foreach (IIncrementalHash hash in _contentHashes.Values)
        {
            hash.Dispose();
        }

        _reprHash?.Dispose();
    }
}
