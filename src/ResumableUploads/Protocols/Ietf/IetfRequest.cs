using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>What a request wants.</summary>
internal enum IetfOperation
{
    Create,
    Status,
    Append,
    Cancel,
}

/// <summary>A request of the draft that is well-formed.</summary>
internal sealed record IetfRequest(IetfOperation Operation)
{
    /// <summary>Whether its content is the last of the upload (<c>?1</c>).</summary>
    public bool IsLast { get; init; }

    public long Offset { get; init; }

    /// <summary>The length of the whole content, where the request states it.</summary>
    public long? UploadLength { get; init; }

    /// <summary>The file's name as the client has it, unchecked.</summary>
    public string? FileName { get; init; }

    /// <summary>The type of the whole content, unchecked.</summary>
    public string? ContentType { get; init; }

    public Digest? ContentDigest { get; init; }

    public Digest? ReprDigest { get; init; }
}
