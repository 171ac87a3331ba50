using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>The problems of requests with a ticket. That of a used ticket is a result of the engine.</summary>
internal static class TicketProblems
{
    /// <summary>The text is not a ticket of this application, or the request has several.</summary>
    public static readonly Problem Invalid = Create("ticket-invalid", "The upload ticket is not valid",
        "Send each request to the URL of the ticket without a change, or get a new ticket.");

    public static readonly Problem Expired = Create("ticket-expired", "The upload ticket has expired", "Get a new ticket and send the file again.");

    /// <summary>The request is for another endpoint, host or upload.</summary>
    public static readonly Problem WrongUrl = Create("ticket-url", "The upload ticket is for another URL",
        "Send the request to the URL of the ticket, or to the upload URL that the server has returned for it.");

    /// <summary>The request would create more than one upload.</summary>
    public static readonly Problem Concatenation = Create("ticket-concatenation", "The upload ticket is for a single upload",
        "Send the file as one upload, without Upload-Concat.");

    private static Problem Create(string name, string title, string detail) => new(StatusCodes.Status403Forbidden, Problem.CustomType(name), title, detail);
}
