namespace ResumableUploads.Abstractions;

/// <summary>An upload as a store has it, read in one step.</summary>
public sealed record UploadInfo
{
    /// <summary>The name of the upload.</summary>
    public required UploadKey Key { get; init; }

    /// <summary>
    /// An opaque text that is new with every change of the record or of the offset, and is never used again, also when
    /// the key is deleted and created anew.
    /// </summary>
    public required string Version { get; init; }

    /// <summary>
    /// How many bytes are really there, and stay there (law 6). From <see cref="UploadState.Received"/> on it is what the
    /// record froze, and no longer depends on the content.
    /// </summary>
    public required long Offset { get; init; }

    /// <summary>The record as it was last written.</summary>
    public required UploadRecord Record { get; init; }

    /// <summary>When the record or the offset last changed.</summary>
    public required DateTimeOffset LastModified { get; init; }

    /// <summary>How far the upload has come.</summary>
    public UploadState State => Record.State;

    /// <summary>The length of the whole content in bytes, or null while it is not known.</summary>
    public long? Length => Record.Length;

    /// <summary>When the upload may be removed, or null for never: the earlier of the two bounds in the record.</summary>
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
