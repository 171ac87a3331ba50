namespace ResumableUploads;

/// <summary>A page of uploads.</summary>
public sealed class UploadPage
{
    internal UploadPage(IReadOnlyList<ManagedUpload> uploads, string? continuation)
    {
        Uploads = uploads;
        Continuation = continuation;
    }

    /// <summary>Gets the uploads. Can be empty although there are more pages.</summary>
    public IReadOnlyList<ManagedUpload> Uploads { get; }

    /// <summary>
    /// Gets the value of <see cref="UploadListQuery.Continuation"/> for the next page, or <see langword="null"/> if this page is the last one. It contains keys, and
    /// no text of a client. It stays valid if uploads are removed, but not if the application changes the number or the order of its stores.
    /// </summary>
    public string? Continuation { get; }
}
