namespace ResumableUploads.Abstractions;

/// <summary>
/// What a store keeps about an upload beside its bytes: a few fields that a store may act on, and <see cref="Data"/>,
/// which it gives back byte for byte.
/// </summary>
public sealed record UploadRecord
{
    /// <summary>The most bytes that <see cref="Data"/> has: 65,536.</summary>
    public const int MaxDataLength = 64 * 1024;

    /// <summary>How far the upload has come. Default: <see cref="UploadState.Receiving"/>.</summary>
    public UploadState State { get; init; }

    /// <summary>
    /// The length of the whole content in bytes, or null while it is not known. It is a hint for a store (for preallocation);
    /// a store does not enforce it.
    /// </summary>
    public long? Length { get; init; }

    /// <summary>How long the upload is kept after its last change (an append or an update), or null for no such bound.</summary>
    public TimeSpan? SlidingExpiration { get; init; }

    /// <summary>When the upload ends whatever happens to it, or null for never.</summary>
    public DateTimeOffset? AbsoluteExpiration { get; init; }

    /// <summary>Bytes that mean nothing to the store, at most <see cref="MaxDataLength"/> of them.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }
}
