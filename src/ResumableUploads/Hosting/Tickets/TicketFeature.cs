using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>The ticket that a request contains. A feature of the request, because the ticket is removed from its query.</summary>
/// <param name="Text">The ticket, which the URL of the upload contains. Empty if it is not valid.</param>
/// <param name="Payload">The content, or <see langword="null"/> if the ticket is refused.</param>
/// <param name="Problem">The reason why the ticket is refused at every endpoint, or <see langword="null"/>.</param>
internal sealed record TicketFeature(string Text, TicketPayload? Payload, Problem? Problem);
