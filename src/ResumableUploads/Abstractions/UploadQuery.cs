namespace ResumableUploads.Abstractions;

/// <summary>Selects the uploads that <see cref="IUploadStore.ListAsync"/> returns.</summary>
public sealed record UploadQuery
{
    /// <summary>Gets the owner of the uploads. The default is <see langword="null"/>, which selects the uploads of all owners.</summary>
    public string? Owner { get; init; }

    /// <summary>
    /// Gets the time for which expired uploads are selected: only those whose <see cref="UploadInfo.Expires"/> is at or before this time are selected.
    /// The default is <see langword="null"/>, which selects expired and unexpired uploads.
    /// </summary>
    public DateTimeOffset? ExpiredAsOf { get; init; }

    /// <summary>
    /// Gets the key after which the listing starts, usually the last one that an earlier listing returned. The upload may have been
    /// deleted. The default is <see langword="null"/>, which starts at the beginning.
    /// </summary>
    /// <remarks>
    /// Each store chooses its own order and does not change it. Uploads that are created during a listing may or may not be returned.
    /// </remarks>
    public UploadKey? StartAfter { get; init; }

    /// <summary>
    /// Gets a value that indicates whether uploads whose data cannot be read are returned, with <see cref="UploadInfo.IsUnreadable"/> set. The default is
    /// <see langword="false"/>, which skips them.
    /// </summary>
    /// <remarks>
    /// The engine sets it where a missing upload would let an owner exceed a quota, or would let the engine remove content that the upload still needs. If a store
    /// cannot tell whether it has found all uploads, for example because a directory cannot be read, it throws <see cref="UploadStoreException"/>.
    /// </remarks>
    public bool IncludeUnreadable { get; init; }
}
