using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary>The operation of a tus request.</summary>
internal enum TusOperation
{
    Discover,
    Create,
    Status,
    Append,
    Terminate,

    /// <summary>Downloads the content. Not part of tus, so the request needs no <c>Tus-Resumable</c>.</summary>
    Download,
}

/// <summary>A valid request of tus 1.0.0.</summary>
internal sealed record TusRequest(TusOperation Operation)
{
    public long Offset { get; init; }

    /// <summary>Gets the length of the upload in bytes, or null if the request does not state it.</summary>
    public long? UploadLength { get; init; }

    public TusMetadata? Metadata { get; init; }

    public TusConcat? Concat { get; init; }

    /// <summary>Gets the digest of the request body, if it is in the request headers.</summary>
    public Digest? Checksum { get; init; }

    /// <summary>Gets the digest of the whole upload (RFC 9530, not part of tus).</summary>
    public Digest? ReprDigest { get; init; }

    /// <summary>Gets a value indicating whether the digest of the request body follows it in the trailer section.</summary>
    public bool HasChecksumTrailer { get; init; }

    /// <summary>Gets a value indicating whether the body of a creation is the first chunk.</summary>
    public bool HasContent { get; init; }
}
