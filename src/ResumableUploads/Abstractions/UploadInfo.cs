namespace ResumableUploads.Abstractions;

/// <summary>A consistent snapshot of an upload in a store.</summary>
public sealed record UploadInfo
{
    /// <summary>Gets the key of the upload.</summary>
    public required UploadKey Key { get; init; }

    /// <summary>
    /// Gets an opaque string that changes with every change of the record or the offset. It is never used again, not even after the key was deleted
    /// and created again.
    /// </summary>
    public required string Version { get; init; }

    /// <summary>
    /// Gets the durable offset: the number of stored bytes that survive a crash. From <see cref="UploadState.Received"/> on it is frozen in the record
    /// and no longer depends on the content.
    /// </summary>
    public required long Offset { get; init; }

    /// <summary>Gets the current record.</summary>
    public required UploadRecord Record { get; init; }

    /// <summary>Gets when the record or the offset last changed.</summary>
    public required DateTimeOffset LastModified { get; init; }

    /// <summary>Gets the state of the upload.</summary>
    public UploadState State => Record.State;

    /// <summary>Gets the length, in bytes, of the whole content, or <see langword="null"/> if it is not known yet.</summary>
    public long? Length => Record.Length;

    /// <summary>
    /// Gets when the upload expires, or <see langword="null"/> for never: the earlier one of <see cref="UploadRecord.AbsoluteExpiration"/> and
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
