using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Tickets.Routing;

/// <summary>Creates the copies of endpoints, without authorization policies, that requests with a ticket reach.</summary>
internal static class TicketEndpoints
{
    // The authorization middleware caches policies per endpoint, so an endpoint per request would be a leak.
    private static readonly ConditionalWeakTable<Endpoint, Endpoint> Uploads = [];
    private static readonly ConditionalWeakTable<Endpoint, Endpoint> Handlers = [];

    /// <summary>
    /// Gets the copy of an upload endpoint. It refuses every request without a valid ticket. As in <see cref="DeferredAuthorization.GetUnauthorizedAsync"/>, it
    /// allows anonymous requests only if a fallback policy would apply otherwise.
    /// </summary>
    public static async ValueTask<Endpoint> GetForUploadAsync(HttpContext context, Endpoint endpoint)
    {
        if (Uploads.TryGetValue(endpoint, out Endpoint? copy))
        {
            return copy;
        }

        bool hasFallbackPolicy = context.RequestServices.GetService<IAuthorizationPolicyProvider>() is { } policies && await policies.GetFallbackPolicyAsync() is not null;
        return Uploads.GetValue(endpoint, endpoint => hasFallbackPolicy
            ? CreateCopy(endpoint, TicketRequiredMetadata.Instance, new AllowAnonymousAttribute())
            : CreateCopy(endpoint, TicketRequiredMetadata.Instance));
    }

    /// <summary>Gets the copy of an endpoint of the app that runs for the complete upload of a ticket, so that its authorization filters accept the bearer.</summary>
    public static Endpoint GetForHandler(Endpoint endpoint) => Handlers.GetValue(endpoint, static endpoint => CreateCopy(endpoint, new AllowAnonymousAttribute()));

    private static RouteEndpoint CreateCopy(Endpoint endpoint, params object[] more) => new(
        endpoint.RequestDelegate!,
        ((RouteEndpoint)endpoint).RoutePattern,
        ((RouteEndpoint)endpoint).Order,
        new EndpointMetadataCollection([.. endpoint.Metadata.Where(static item => !DeferredAuthorization.IsPolicy(item)), .. more]),
        endpoint.DisplayName);
}
