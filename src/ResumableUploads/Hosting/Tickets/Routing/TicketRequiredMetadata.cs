namespace ResumableUploads.Hosting.Tickets.Routing;

/// <summary>Metadata of an endpoint whose authorization policies were removed for a request with a ticket. It refuses requests without a valid ticket.</summary>
internal sealed class TicketRequiredMetadata
{
    public static readonly TicketRequiredMetadata Instance = new();
}
