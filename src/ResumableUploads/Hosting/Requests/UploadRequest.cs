using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests.Responses;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>A request of an upload protocol.</summary>
/// <param name="Context">The HTTP request.</param>
/// <param name="Url">The URL that it was sent to.</param>
/// <param name="Target">The app's endpoint behind it. <see langword="null"/> on a ready-made path.</param>
/// <param name="IsOnStatusPath">Whether it was sent to the status path, which only returns offsets.</param>
internal sealed record UploadRequest(HttpContext Context, UploadUrl Url, EndpointTarget? Target, bool IsOnStatusPath = false)
{
    /// <summary>The methods that a client behind a proxy that blocks them can send as POST.</summary>
    private static readonly string[] OverridableMethods = [HttpMethods.Patch, HttpMethods.Delete, HttpMethods.Head];

    /// <summary>Gets or sets the protocol, once it is known, and the endpoint.</summary>
    public UploadOrigin Origin { get; set; }

    /// <summary>Gets or sets the upload that the request is about, or <see langword="null"/> if it is not known yet.</summary>
    public UploadKey? Key { get; set; }

    /// <summary>Gets or sets the valid ticket of the request, or <see langword="null"/> if the request has none.</summary>
    public AcceptedTicket? Ticket { get; set; }

    /// <summary>Gets or sets the reason why the ticket of the request is refused, or <see langword="null"/>.</summary>
    public Problem? TicketProblem { get; set; }

    /// <summary>Gets or sets the permit of the ticket, or <see langword="null"/> if the request has no valid ticket.</summary>
    public UploadPermit? Permit { get; set; }

    /// <summary>Gets the events that still use the request although the engine has continued without them.</summary>
    public AbandonedEvents AbandonedEvents { get; } = new();

    /// <summary>
    /// Gets or sets the function that returns whether another request appends to the upload, if that request has preempted this one. Otherwise
    /// <see langword="null"/>.
    /// </summary>
    public Func<bool>? IsContinuedByAnother { get; set; }

    public CancellationToken Aborted => Context.RequestAborted;

    /// <summary>
    /// Gets the method of the request: that in <c>X-HTTP-Method-Override</c> for a tus request that was sent to an upload as POST. The method on the wire
    /// does not change, so no other endpoint can be reached, and the response has a body if that method allows it.
    /// </summary>
    public string Method { get; } =
        HttpMethods.IsPost(Context.Request.Method) && Url.IsUpload && Context.Request.Headers.ContainsKey(TusHeaders.Resumable)
            ? FindOverride(Context.Request.Headers[TusHeaders.MethodOverride].ToString()) ?? Context.Request.Method
            : Context.Request.Method;

    /// <summary>Gets the maximum size, in bytes, that the server accepted for the body of this request before the limit was disabled, or <see langword="null"/> for none.</summary>
    public long? ServerBodyLimit { get; } = Context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;

    private static string? FindOverride(string header) =>
        Array.Find(OverridableMethods, method => string.Equals(method, header, StringComparison.OrdinalIgnoreCase));
}
