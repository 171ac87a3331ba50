using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>Takes the pieces at a place in the pipeline that the app has chosen: what comes behind it sees whole requests alone.</summary>
internal sealed class ResumableEndpointMiddleware(RequestDelegate next, ResumableEndpointRegistry registry)
{
    // The framework's own endpoint middleware asks the same of every endpoint, by the same keys.
    private const string AuthorizationInvokedKey = "__AuthorizationMiddlewareWithEndpointInvoked";
    private const string CorsInvokedKey = "__CorsMiddlewareWithEndpointInvoked";

    public Task InvokeAsync(HttpContext context)
    {
        Endpoint? endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<ResumableRoute>() is not { } route)
        {
            return next(context);
        }

        ThrowIfMiddlewareMissing<IAuthorizeData>(context, endpoint, AuthorizationInvokedKey, "UseAuthorization");
        ThrowIfMiddlewareMissing<ICorsMetadata>(context, endpoint, CorsInvokedKey, "UseCors");
        return registry.HandleAsync(context, route, next);
    }

    private static void ThrowIfMiddlewareMissing<T>(HttpContext context, Endpoint endpoint, string key, string call) where T : class
    {
        if (endpoint.Metadata.GetMetadata<T>() is not null && !context.Items.ContainsKey(key))
        {
            throw new InvalidOperationException(
                $"'{endpoint.DisplayName}' has a policy that {call}() applies, and its pieces came here without it. " +
                $"Call app.{call}() before app.UseResumableUploadEndpoints().");
        }
    }
}
