using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary>Specifies the operation that a tus request performs.</summary>
internal enum TusOperation
{
    Discover,
    Create,
    Status,
    Append,
    Terminate,

    /// <summary>Downloads the content, in a request without <c>Tus-Resumable</c>, such as that of a browser.</summary>
    Download,
}

/// <summary>A parsed request of tus 1.0.0.</summary>
/// <param name="Operation">The operation.</param>
internal sealed record TusRequest(TusOperation Operation)
{
    /// <summary>Gets the offset, in bytes, at which the content is appended. Zero unless the operation is <see cref="TusOperation.Append"/>.</summary>
    public long Offset { get; init; }

    /// <summary>Gets the length of the upload in bytes, or null if the request does not specify it.</summary>
    public long? UploadLength { get; init; }

    /// <summary>Gets the parsed <c>Upload-Metadata</c> of a creation, or null if the header is absent or empty.</summary>
    public TusMetadata? Metadata { get; init; }

    /// <summary>Gets the parsed <c>Upload-Concat</c> of a creation, or null if the header is absent.</summary>
    public TusConcat? Concat { get; init; }

    /// <summary>Gets the digest of the request body, or null if the request headers contain none.</summary>
    public Digest? Checksum { get; init; }

    /// <summary>Gets the digest of the whole upload (RFC 9530, not part of tus), or null if none was sent.</summary>
    public Digest? ReprDigest { get; init; }

    /// <summary>Gets a value indicating whether the digest of the request body is sent in the trailer section.</summary>
    public bool HasChecksumTrailer { get; init; }

    /// <summary>Gets a value indicating whether the request has content to append.</summary>
    public bool HasContent { get; init; }
}
