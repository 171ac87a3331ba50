namespace ResumableUploads;

/// <summary>
/// Configures the protocol of the IETF draft. Clients learn the sizes from the <c>Upload-Limit</c> header, see
/// <see href="https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/">Resumable Uploads for HTTP</see>.
/// </summary>
public sealed class ResumableUploadIetfOptions
{
    /// <summary>
    /// Gets or sets the minimum size of a resumable upload, in bytes. A smaller upload must be sent in a single request.
    /// </summary>
    /// <remarks>Defaults to 0. Must be between 0 and <see cref="ResumableUploadOptions.MaxUploadSize"/>. Other smaller uploads are rejected with 400.</remarks>
    public long MinUploadSize { get; set; }

    /// <summary>
    /// Gets or sets the minimum size of an append request, in bytes. The last request of an upload can be smaller.
    /// </summary>
    /// <remarks>
    /// Defaults to 0. Must be between 0 and <see cref="ResumableUploadLimits.MaxAppendSize"/>. Smaller requests are rejected with 400.
    /// </remarks>
    public long MinAppendSize { get; set; }

    /// <summary>
    /// Gets or sets when interim responses (104) report the URL of the upload and its durable offset to the client.
    /// </summary>
    /// <remarks>Defaults to <see cref="InterimResponses.Auto"/>.</remarks>
    public InterimResponses InterimResponses { get; set; } = InterimResponses.Auto;
}
