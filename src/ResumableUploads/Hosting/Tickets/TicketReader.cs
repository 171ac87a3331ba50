using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Tickets.Routing;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>Reads and checks the ticket of a request to an endpoint that accepts tickets.</summary>
/// <param name="protector">Reads tickets.</param>
/// <param name="time">The clock by which tickets expire.</param>
/// <param name="acceptsOnMiddleware">Whether the middleware accepts tickets, or <see langword="null"/> for endpoints, whose metadata decides.</param>
internal sealed class TicketReader(TicketProtector protector, TimeProvider time, bool? acceptsOnMiddleware)
{
    /// <summary>Reads the ticket of a request, and sets it or the reason why it is refused. Does not change the HTTP request.</summary>
    public void Read(UploadRequest request)
    {
        HttpContext context = request.Context;
        bool isTicketRequired = context.GetEndpoint()?.Metadata.GetMetadata<TicketRequiredMetadata>() is not null;
        if (!Accepts(request))
        {
            // No policy was applied to the request, so it must not be handled as one without a ticket.
            request.TicketProblem = isTicketRequired ? TicketProblems.Invalid : null;
        }
        else if (TicketQuery.HasTicket(context))
        {
            TicketFeature ticket = GetOrRead(context);
            request.TicketProblem = ticket.Problem ?? CheckUrl(request, ticket.Payload!);
            request.Ticket = request.TicketProblem is null ? new AcceptedTicket(ticket.Payload!) : null;
        }
        else if (isTicketRequired)
        {
            request.TicketProblem = TicketProblems.Invalid;
        }
    }

    /// <summary>
    /// Makes a request with a ticket act for the bearer of the ticket only: without the user, the credentials and the session of the client. Removes the ticket from
    /// the query, so that it is neither stored nor passed to the application.
    /// </summary>
    public static void Apply(UploadRequest request)
    {
        HttpContext context = request.Context;
        if (context.Features.Get<TicketFeature>() is null || request is { Ticket: null, TicketProblem: null })
        {
            return;
        }

        context.User = new ClaimsPrincipal(new ClaimsIdentity());
        context.Features.Set<ISessionFeature>(null);
        context.Request.Headers.Remove(HeaderNames.Cookie);
        context.Request.Headers.Remove(HeaderNames.Authorization);
        context.Request.QueryString = TicketQuery.Remove(context.Request.QueryString);
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget =
            $"{UploadUrl.EscapePath(context.Request.PathBase.Add(context.Request.Path))}{context.Request.QueryString}";
        context.Response.OnStarting(
            static state =>
            {
                IHeaderDictionary headers = ((HttpResponse)state).Headers;
                headers.CacheControl = "no-store";
                headers["Referrer-Policy"] = "no-referrer";
                return Task.CompletedTask;
            },
            context.Response);
    }

    /// <summary>Returns whether an endpoint accepts tickets.</summary>
    public static bool Accepts(Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<AllowUploadTicketsAttribute>() is not null;

    private bool Accepts(UploadRequest request) => acceptsOnMiddleware ?? Accepts(request.Target?.Route.AppEndpoint ?? request.Context.GetEndpoint());

    private TicketFeature GetOrRead(HttpContext context)
    {
        if (context.Features.Get<TicketFeature>() is { } known)
        {
            return known;
        }

        TicketFeature ticket = TicketQuery.GetValues(context.Request) is not [var text] || protector.TryUnprotect(text) is not { } payload
            ? new TicketFeature("", null, TicketProblems.Invalid)
            : payload.Expires <= time.GetUtcNow() ? new TicketFeature("", null, TicketProblems.Expired)
            : new TicketFeature(text, payload, null);
        context.Features.Set(ticket);
        return ticket;
    }

    /// <summary>
    /// Returns the problem of a ticket for another URL. The path of an endpoint may have route values, in which case can matter; that of the middleware is
    /// fixed.
    /// </summary>
    private Problem? CheckUrl(UploadRequest request, TicketPayload ticket)
    {
        HttpRequest http = request.Context.Request;
        string path = $"{http.PathBase.Value}{request.Url.CreationPath.Value}".TrimEnd('/');
        bool isTicketPath = string.Equals(path, ticket.Path, acceptsOnMiddleware is null ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);
        bool isTicketHost = ticket.Host is null || string.Equals(http.Host.Host, ticket.Host, StringComparison.OrdinalIgnoreCase);
        bool isTicketUpload = request.Url.Id is null || request.Url.Id == ticket.Id;
        return isTicketPath && isTicketHost && isTicketUpload ? null : TicketProblems.WrongUrl;
    }
}
