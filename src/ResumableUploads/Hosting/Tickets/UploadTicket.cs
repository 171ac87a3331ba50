namespace ResumableUploads;

/// <summary>A ticket that lets its bearer upload one file.</summary>
public sealed class UploadTicket
{
    internal UploadTicket(string id, string url, DateTimeOffset expires)
    {
        Id = id;
        Url = url;
        Expires = expires;
    }

    /// <summary>
    /// Gets the identifier of the ticket, which is not a secret. Events and handlers of the upload get it as <see cref="UploadTicketInfo.Id"/>.
    /// </summary>
    public string Id { get; }

    /// <summary>Gets the path and the query to which the bearer sends the upload, in any protocol. It is a secret: do not log it.</summary>
    public string Url { get; }

    /// <summary>Gets the time at which the ticket expires.</summary>
    public DateTimeOffset Expires { get; }
}
