using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.FileId;

/// <summary>The operation of a request of the file-id protocol.</summary>
internal enum FileIdOperation
{
    Status,
    Append,
    Cancel,
}

/// <summary>A valid request of the file-id protocol.</summary>
internal sealed record FileIdRequest(FileIdOperation Operation, ReadOnlyMemory<byte> FileId)
{
    public long StartByte { get; init; }

    public long? FileSize { get; init; }

    /// <summary>Gets the file name, from <c>X-File-Name</c> or extracted from the file id. Not sanitized.</summary>
    public string? FileName { get; init; }

    public string? ContentType { get; init; }

    public Digest? ContentDigest { get; init; }

    public Digest? ReprDigest { get; init; }
}
