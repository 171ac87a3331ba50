namespace ResumableUploads.Abstractions;

/// <summary>A consistent snapshot of an upload in a store.</summary>
public sealed record UploadInfo
{
    /// <summary>Gets the key of the upload.</summary>
    public required UploadKey Key { get; init; }

    /// <summary>
    /// Gets an opaque string that changes with every change of the record or the offset. It is never reused, not even for an upload
    /// that is created under the key of a deleted one.
    /// </summary>
    public required string Version { get; init; }

    /// <summary>
    /// Gets the durable offset: the number of stored bytes that survive a crash. Once the upload leaves
    /// <see cref="UploadState.Receiving"/>, the offset is saved with the record, and no longer depends on the stored content.
    /// </summary>
    public required long Offset { get; init; }

    /// <summary>Gets the current record.</summary>
    public required UploadRecord Record { get; init; }

    /// <summary>Gets the time at which the record or the offset last changed.</summary>
    public required DateTimeOffset LastModified { get; init; }

    /// <summary>
    /// Gets a value that indicates whether the record could not be read. <see cref="Record"/> is then empty, and <see cref="Offset"/> is the number of bytes
    /// that the content takes up. Such an upload is only returned by a listing with <see cref="UploadQuery.IncludeUnreadable"/>.
    /// </summary>
    public bool IsUnreadable { get; init; }

    /// <summary>Gets the state of the upload.</summary>
    public UploadState State => Record.State;

    /// <summary>Gets the length, in bytes, of the whole content, or <see langword="null"/> if it is unknown.</summary>
    public long? Length => Record.Length;

    /// <summary>
    /// Gets the time at which the upload expires, or <see langword="null"/> if it does not expire. This is the
    /// earlier of <see cref="UploadRecord.AbsoluteExpiration"/> and
    /// <see cref="LastModified"/> plus <see cref="UploadRecord.SlidingExpiration"/>.
    /// </summary>
    public DateTimeOffset? Expires
    {
        get
        {
            DateTimeOffset? sliding = Record.SlidingExpiration is { } span && DateTimeOffset.MaxValue - LastModified > span
                ? LastModified + span
                : null;
            return (sliding, Record.AbsoluteExpiration) switch
            {
                (null, var absolute) => absolute,
                (var value, null) => value,
                ({ } a, { } b) => a < b ? a : b,
            };
        }
    }
}
