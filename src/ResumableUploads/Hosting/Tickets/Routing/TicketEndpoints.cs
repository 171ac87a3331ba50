using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Tickets.Routing;

/// <summary>Creates the copies of endpoints, without authorization policies, that requests with a ticket reach.</summary>
internal static class TicketEndpoints
{
    // The authorization middleware caches policies per endpoint, so an endpoint per request would be a leak.
    private static readonly ConditionalWeakTable<Endpoint, Endpoint> Uploads = [];
    private static readonly ConditionalWeakTable<Endpoint, Endpoint> Handlers = [];

    /// <summary>Gets the copy of an upload endpoint. It refuses every request without a valid ticket.</summary>
    public static Endpoint GetForUpload(Endpoint endpoint) =>
        Uploads.GetValue(endpoint, static endpoint => CreateCopy(endpoint, TicketRequiredMetadata.Instance));

    /// <summary>Gets the copy of an endpoint of the app that runs for the complete upload of a ticket, so that its authorization filters accept the bearer.</summary>
    public static Endpoint GetForHandler(Endpoint endpoint) => Handlers.GetValue(endpoint, static endpoint => CreateCopy(endpoint));

    private static RouteEndpoint CreateCopy(Endpoint endpoint, params object[] more) => new(
        endpoint.RequestDelegate!,
        ((RouteEndpoint)endpoint).RoutePattern,
        ((RouteEndpoint)endpoint).Order,
        new EndpointMetadataCollection([.. endpoint.Metadata.Where(static item => !DeferredAuthorization.IsPolicy(item)), new AllowAnonymousAttribute(), .. more]),
        endpoint.DisplayName);
}
