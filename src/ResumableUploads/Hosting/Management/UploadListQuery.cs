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

    /// <summary>
    /// Gets the beginning of the ids of the uploads, as in <see cref="UploadKey.Id"/>: a whole id, or for example the eight characters in log messages. The default is
    /// <see langword="null"/>, which selects all ids. A string that cannot begin an id selects none.
    /// </summary>
    /// <remarks>
    /// If <see cref="Owner"/> has an upload with exactly this id, only that one is returned, with one read per store. Otherwise the records of all uploads, or of all uploads of the owner, are read until the page is
    /// full or <see cref="MaxScannedUploads"/> is reached: a page can be empty and still have a <see cref="UploadPage.Continuation"/>.
    /// </remarks>
    public string? IdPrefix { get; init; }

    /// <summary>Gets the maximum number of uploads of the page: 1 to 1,000. The default is 50.</summary>
    public int PageSize { get; init; } = 50;

    /// <summary>
    /// Gets the maximum number of uploads whose records are read for the page, whether or not they match: 1 to 100,000. One more is read to find the end. The default is 1,000.
    /// </summary>
    public int MaxScannedUploads { get; init; } = 1_000;

    /// <summary>Gets the <see cref="UploadPage.Continuation"/> of the page before. The default is <see langword="null"/>, which selects the first page.</summary>
    public string? Continuation { get; init; }

    /// <summary>Returns whether an upload of the owner and id has the state.</summary>
    internal bool Matches(ManagedUpload upload) => State is not { } state || upload.State == state;
}
