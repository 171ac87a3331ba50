using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>The operation of a request of the IETF draft.</summary>
internal enum IetfOperation
{
    Create,
    Status,
    Append,
    Cancel,
}

/// <summary>A valid request of the IETF draft.</summary>
internal sealed record IetfRequest(IetfOperation Operation)
{
    /// <summary>Gets a value indicating whether the content is the last of the upload (<c>Upload-Complete: ?1</c>).</summary>
    public bool IsLast { get; init; }

    public long Offset { get; init; }

    /// <summary>Gets the length of the upload in bytes, or null if the request does not state it.</summary>
    public long? UploadLength { get; init; }

    /// <summary>Gets the file name as the client sent it, not sanitized.</summary>
    public string? FileName { get; init; }

    /// <summary>Gets the content type of the whole upload as the client sent it, not validated.</summary>
    public string? ContentType { get; init; }

    public Digest? ContentDigest { get; init; }

    public Digest? ReprDigest { get; init; }
}
