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
}
