using ResumableUploads.Engine.Permits;

namespace ResumableUploads;

/// <summary>The ticket with which an upload was created.</summary>
public sealed class UploadTicketInfo
{
    private UploadTicketInfo(string id, string? owner)
    {
        Id = id;
        Owner = owner;
    }

    /// <summary>Gets the identifier of the ticket: <see cref="UploadTicket.Id"/>.</summary>
    public string Id { get; }

    /// <summary>Gets the owner that the application named when it created the ticket, or <see langword="null"/> for an anonymous client.</summary>
    public string? Owner { get; }

    internal static UploadTicketInfo? From(UploadPermit? permit) => permit is null ? null : new(permit.Id, permit.Owner);
}
