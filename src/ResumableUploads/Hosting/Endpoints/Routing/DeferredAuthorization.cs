using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Applies the policies of one of several endpoints at a URL after the store has shown which of them a request belongs to. The authorization middleware
/// runs too early for that.
/// </summary>
internal sealed class DeferredAuthorization
{
    // The authorization middleware caches policies per endpoint, so an endpoint per request would be a leak. The fallback policy is assumed not to change.
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _unauthorized = [];

    /// <summary>Returns whether the endpoints have different policies.</summary>
    public static bool IsNeeded(HttpContext context, IReadOnlyList<Endpoint> endpoints) =>
        context.RequestServices.GetService<IAuthorizationPolicyProvider>() is not null
        && endpoints.Skip(1).Any(other => !GetPolicies(other).SequenceEqual(GetPolicies(endpoints[0])));

    /// <summary>
    /// Gets a copy of an endpoint to which the authorization middleware applies no policy. It has no authentication schemes either: the middleware would
    /// authenticate with them, and replace the user. It allows anonymous requests only if a fallback policy would apply otherwise, because other middleware
    /// may skip its own checks for such endpoints.
    /// </summary>
    public async ValueTask<Endpoint> GetUnauthorizedAsync(HttpContext context, Endpoint endpoint)
    {
        object[] allowAnonymous = await context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>().GetFallbackPolicyAsync() is null
            ? []
            : [new AllowAnonymousAttribute()];
        return _unauthorized.GetValue(endpoint, endpoint => new RouteEndpoint(
            endpoint.RequestDelegate!,
            ((RouteEndpoint)endpoint).RoutePattern,
            ((RouteEndpoint)endpoint).Order,
            new EndpointMetadataCollection([.. endpoint.Metadata.Where(static item => !IsPolicy(item) && item is not IAllowAnonymous), .. allowAnonymous]),
            endpoint.DisplayName));
    }

    /// <summary>
    /// Authenticates the user with the schemes of an endpoint, and returns whether its policies accept the user. Only <see cref="RunAsync"/> enforces them.
    /// </summary>
    public static async Task<bool> AuthenticateAsync(HttpContext context, Endpoint endpoint)
    {
        IServiceProvider services = context.RequestServices;
        AuthorizationPolicy? policy = await AuthorizationPolicy.CombineAsync(
            services.GetRequiredService<IAuthorizationPolicyProvider>(),
            endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>(),
            endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>());
        if (policy is null)
        {
            return true;
        }

        IPolicyEvaluator evaluator = services.GetRequiredService<IPolicyEvaluator>();
        AuthenticateResult user = await evaluator.AuthenticateAsync(policy, context);
        return endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
            || (await evaluator.AuthorizeAsync(policy, user, context, context)).Succeeded;
    }

    /// <summary>Applies the policies of an endpoint as the authorization middleware does, and runs a delegate if they accept the user.</summary>
    public static Task RunAsync(HttpContext context, Endpoint endpoint, RequestDelegate next)
    {
        IServiceProvider services = context.RequestServices;
        context.SetEndpoint(endpoint);
        return new AuthorizationMiddleware(
            next,
            services.GetRequiredService<IAuthorizationPolicyProvider>(),
            services,
            services.GetRequiredService<ILogger<AuthorizationMiddleware>>()).Invoke(context);
    }

    /// <summary>Returns whether a metadata item makes the authorization middleware apply a policy.</summary>
    public static bool IsPolicy(object item) => item is IAuthorizeData or AuthorizationPolicy or IAuthorizationRequirementData;

    /// <summary>Gets values that are equal for endpoints with the same policies.</summary>
    private static IEnumerable<object> GetPolicies(Endpoint endpoint) => endpoint.Metadata
        .Where(static item => IsPolicy(item) || item is IAllowAnonymous)
        .Select(static item =>
            item is AuthorizeAttribute data && item.GetType() == typeof(AuthorizeAttribute) ? (data.Policy, data.Roles, data.AuthenticationSchemes)
            : item is AllowAnonymousAttribute ? typeof(IAllowAnonymous)
            : item);
}
