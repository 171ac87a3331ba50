using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary>What a request wants.</summary>
internal enum TusOperation
{
    Discover,
    Create,
    Status,
    Append,
    Terminate,

    /// <summary>The content, please. No part of tus, and so without its version.</summary>
    Download,
}

/// <summary>A request of tus 1.0.0 that is well-formed.</summary>
internal sealed record TusRequest(TusOperation Operation)
{
    public long Offset { get; init; }

    /// <summary>The length of the whole content, where the request states it.</summary>
    public long? UploadLength { get; init; }

    public TusMetadata? Metadata { get; init; }

    public TusConcat? Concat { get; init; }

    /// <summary>A digest of this body, told before it.</summary>
    public Digest? Checksum { get; init; }

    /// <summary>A digest of the whole content (RFC 9530, and not a part of tus).</summary>
    public Digest? ReprDigest { get; init; }

    /// <summary>Whether the digest comes behind the body.</summary>
    public bool HasChecksumTrailer { get; init; }

    /// <summary>Whether the body of a creation is the first piece.</summary>
    public bool HasContent { get; init; }
}
