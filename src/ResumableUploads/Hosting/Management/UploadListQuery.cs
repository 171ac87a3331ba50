using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>Selects the uploads that <see cref="IUploadManager.ListAsync"/> returns.</summary>
public sealed record UploadListQuery
{
    /// <summary>The maximum of <see cref="PageSize"/>: 1,000.</summary>
    public const int MaxPageSize = 1_000;

    /// <summary>The maximum of <see cref="MaxScannedUploads"/>: 100,000.</summary>
    public const int MaxScanLimit = 100_000;

    /// <summary>Gets the state of the uploads. The default is <see langword="null"/>, which selects all states.</summary>
    public ManagedUploadState? State { get; init; }

    /// <summary>
    /// Gets the owner of the uploads, as in <see cref="UploadKey.Owner"/>. It is a hash of the name of a user, and not the name itself. The default is
    /// <see langword="null"/>, which selects the uploads of all owners. A string that cannot be an owner selects none.
    /// </summary>
    public string? Owner { get; init; }

    /// <summary>Gets the maximum number of uploads of the page: 1 to 1,000. The default is 50.</summary>
    public int PageSize { get; init; } = 50;

    /// <summary>
    /// Gets the maximum number of uploads whose records are read for the page, whether or not they match: 1 to 100,000. One more is read to find the end. The default is 1,000.
    /// </summary>
    public int MaxScannedUploads { get; init; } = 1_000;

    /// <summary>Gets the <see cref="UploadPage.Continuation"/> of the page before. The default is <see langword="null"/>, which selects the first page.</summary>
    public string? Continuation { get; init; }
}
