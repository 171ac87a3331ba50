using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.FileId;

/// <summary>Specifies the operation that a request of the file-id protocol performs.</summary>
internal enum FileIdOperation
{
    Status,
    Append,
    Cancel,
}

/// <summary>A parsed request of the file-id protocol.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="FileId">The bytes of <c>X-File-Id</c>.</param>
internal sealed record FileIdRequest(FileIdOperation Operation, ReadOnlyMemory<byte> FileId)
{
    /// <summary>Gets the offset, in bytes, at which the content is appended. Zero if neither <c>X-Start-Byte</c> nor <c>Content-Range</c> is present.</summary>
    public long StartByte { get; init; }

    /// <summary>Gets the size of the whole file, in bytes, or null if the request does not specify it.</summary>
    public long? FileSize { get; init; }

    /// <summary>
    /// Gets the length, in bytes, of the range in <c>Content-Range</c>, or null without that header. The end of such a body is not the end of the file.
    /// </summary>
    public long? RangeLength { get; init; }

    /// <summary>Gets the file name, from <c>X-File-Name</c> or extracted from the file id. The name is not sanitized.</summary>
    public string? FileName { get; init; }

    /// <summary>Gets the content type, or null if the request does not specify one. The syntax is not validated.</summary>
    public string? ContentType { get; init; }

    /// <summary>Gets the digest of the content of this request, or null if none was sent.</summary>
    public Digest? ContentDigest { get; init; }

    /// <summary>Gets the digest of the whole upload, or null if none was sent.</summary>
    public Digest? ReprDigest { get; init; }
}
