using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>
/// Specifies the operation that a request of the
/// <see href="https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/">resumable upload draft</see> performs.
/// </summary>
internal enum IetfOperation
{
    Create,
    Status,
    Append,
    Cancel,
}

/// <summary>A parsed request of the resumable upload draft.</summary>
/// <param name="Operation">The operation.</param>
internal sealed record IetfRequest(IetfOperation Operation)
{
    /// <summary>
    /// Gets a value indicating whether the upload is complete after the content of this request (<c>Upload-Complete: ?1</c>). True if the header is
    /// absent and the version does not require it.
    /// </summary>
    public bool IsLast { get; init; }

    /// <summary>Gets the offset, in bytes, at which the content is appended. Zero unless the operation is <see cref="IetfOperation.Append"/>.</summary>
    public long Offset { get; init; }

    /// <summary>Gets the length of the upload in bytes, or null if the request contains no valid length.</summary>
    public long? UploadLength { get; init; }

    /// <summary>Gets the file name from the request, or null if there is none. The name is not sanitized.</summary>
    public string? FileName { get; init; }

    /// <summary>Gets the content type of the whole upload, or null if the request does not specify one. The syntax is not validated.</summary>
    public string? ContentType { get; init; }

    /// <summary>Gets the digest of the content of this request, or null if none was sent.</summary>
    public Digest? ContentDigest { get; init; }

    /// <summary>Gets the digest of the whole upload, or null if none was sent.</summary>
    public Digest? ReprDigest { get; init; }
}
