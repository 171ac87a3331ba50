namespace ResumableUploads;

/// <summary>Specifies what the bearer of an upload ticket may upload.</summary>
public sealed class UploadTicketOptions
{
    /// <summary>The longest <see cref="Lifetime"/>: 7 days.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);

    /// <summary>
    /// Gets or sets the path to which the file is uploaded, as clients see it: with the path base of the application and with the values of route parameters,
    /// not percent-encoded. The endpoint must accept tickets: see <c>AllowUploadTickets()</c> and <see cref="ResumableUploadOptions.AcceptTickets"/>.
    /// </summary>
    /// <remarks>Must start with <c>/</c>. The ticket is refused at every other path.</remarks>
    public required string Path { get; set; }

    /// <summary>Gets or sets the host name, without a port, at which the ticket is valid.</summary>
    /// <remarks>Defaults to <see langword="null"/>: any host of the application. Set it if the hosts belong to different tenants.</remarks>
    public string? Host { get; set; }

    /// <summary>
    /// Gets or sets the owner of the upload, whose quota it uses. The owner of a ticket is the same as that of requests for which
    /// <see cref="ResumableUploadOptions.Owner"/> returns this string.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>: the owner that anonymous clients share. At most 256 characters.</remarks>
    public string? Owner { get; set; }

    /// <summary>Gets or sets the maximum size of the upload, in bytes. The limits of the endpoint apply too. A larger upload is rejected with 413.</summary>
    /// <remarks>Defaults to <see langword="null"/>: the limit of the endpoint. Must be greater than 0.</remarks>
    public long? MaxLength { get; set; }

    /// <summary>Gets the media types that are accepted, such as <c>image/png</c> or <c>image/*</c>. Another type, or none, is rejected with 415.</summary>
    /// <remarks>Defaults to an empty list: any type. At most 20. The client declares the type; the content is not examined.</remarks>
    public IList<string> ContentTypes { get; } = [];

    /// <summary>Gets or sets the file name of the upload, which replaces that of the client.</summary>
    /// <remarks>Defaults to <see langword="null"/>: the client chooses the name. At most 255 characters.</remarks>
    public string? FileName { get; set; }

    /// <summary>Gets or sets the time until the ticket expires. After that, every request with it is refused with 403, also for an upload that has begun.</summary>
    /// <remarks>Defaults to 15 minutes. Must be greater than zero and at most <see cref="MaxLifetime"/>.</remarks>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(15);
}
