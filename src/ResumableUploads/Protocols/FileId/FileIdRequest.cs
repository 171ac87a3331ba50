using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.FileId;

/// <summary>What a request wants.</summary>
internal enum FileIdOperation
{
    Status,
    Append,
    Cancel,
}

/// <summary>A request of the file-id protocol that is well-formed.</summary>
internal sealed record FileIdRequest(FileIdOperation Operation, ReadOnlyMemory<byte> FileId)
{
    public long StartByte { get; init; }

    public long? FileSize { get; init; }

    /// <summary>The file's name as the client has it: from its own header, or taken from the file id.</summary>
    public string? FileName { get; init; }

    public string? ContentType { get; init; }

    public Digest? ContentDigest { get; init; }

    public Digest? ReprDigest { get; init; }
}
