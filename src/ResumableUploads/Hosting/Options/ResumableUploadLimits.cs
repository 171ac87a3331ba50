namespace ResumableUploads;

/// <summary>Limits what one owner can use, and how slowly a request can send.</summary>
public sealed class ResumableUploadLimits
{
    /// <summary>Gets or sets the maximum number of incomplete uploads per owner.</summary>
    /// <remarks>Defaults to 1,000. Must be greater than 0. Further uploads are rejected with 429.</remarks>
    public int MaxUploadsPerOwner { get; set; } = 1000;

    /// <summary>
    /// Gets or sets the maximum total size of the uploads of an owner in the store, in bytes. An incomplete upload counts with its declared length, or
    /// with its received bytes if the length is unknown. A complete upload counts until its content is moved or removed.
    /// </summary>
    /// <remarks>Defaults to 100 GiB. Must be greater than 0. Requests that exceed it are rejected with 413.</remarks>
    public long MaxBytesPerOwner { get; set; } = 100L << 30;

    /// <summary>Gets or sets the maximum number of concurrent append requests per owner.</summary>
    /// <remarks>Defaults to 100. Must be greater than 0. Further requests are rejected with 429.</remarks>
    public int MaxAppendsPerOwner { get; set; } = 100;

    /// <summary>
    /// Gets or sets how many times the limits per owner all anonymous clients without an owner of their own can use together. The limits themselves
    /// apply to each network of such clients: an IPv4 address or an IPv6 network (/64).
    /// </summary>
    /// <remarks>Defaults to 10. Must be greater than 0. Requests that exceed it are rejected with 429 or 413.</remarks>
    public int AnonymousTotalFactor { get; set; } = 10;

    /// <summary>
    /// Gets or sets the maximum size of the body of one request, in bytes, or <see langword="null"/> for no limit except
    /// <see cref="ResumableUploadOptions.MaxUploadSize"/>. Set it to the request limit of the reverse proxy. Clients learn it from <c>max-append-size</c> in
    /// the <c>Upload-Limit</c> header.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>. Must be greater than 0. A larger body is rejected with 413. If its length is unknown, the bytes up to the limit are
    /// kept. Versions 3 to 5 of the IETF draft have no such limit, and versions 6 to 8 apply it to appends, not to creations.
    /// </remarks>
    public long? MaxAppendSize { get; set; }

    /// <summary>Gets or sets the minimum data rate of a request body, in bytes per second, or 0 for none.</summary>
    /// <remarks>
    /// Defaults to 100. Must not be negative. A slower request is ended with 408; the bytes it has sent are kept. It replaces Kestrel's
    /// <c>MinRequestBodyDataRate</c>.
    /// </remarks>
    public long MinDataRate { get; set; } = 100;

    /// <summary>Gets or sets the period over which <see cref="MinDataRate"/> is measured.</summary>
    /// <remarks>Defaults to 60 seconds. Must be at least 1 second and at most 49 days.</remarks>
    public TimeSpan MinDataRatePeriod { get; set; } = TimeSpan.FromSeconds(60);
}
