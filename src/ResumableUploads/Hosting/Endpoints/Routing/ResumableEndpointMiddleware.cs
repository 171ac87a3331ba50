using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>Handles chunks at the position in the pipeline where the app adds it. Later middleware receives only complete requests.</summary>
internal sealed class ResumableEndpointMiddleware(RequestDelegate next, ResumableEndpointRegistry registry)
{
    public Task InvokeAsync(HttpContext context)
    {
        Endpoint? endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<ResumableRoute>() is not { } route)
        {
            return next(context);
        }

        // The framework's EndpointMiddleware makes the same checks, with the same keys.
        ThrowIfMiddlewareMissing<IAuthorizeData>(context, endpoint, FrameworkInternals.AuthorizationInvokedKey, "UseAuthorization");
        ThrowIfMiddlewareMissing<ICorsMetadata>(context, endpoint, FrameworkInternals.CorsInvokedKey, "UseCors");
        return registry.HandleAsync(context, route, next);
    }

    private static void ThrowIfMiddlewareMissing<T>(HttpContext context, Endpoint endpoint, string key, string call) where T : class
    {
        if (endpoint.Metadata.GetMetadata<T>() is not null && !context.Items.ContainsKey(key))
        {
            throw new InvalidOperationException(
                $"Endpoint '{endpoint.DisplayName}' has a policy that {call}() applies, but that middleware did not run before its chunks were handled. " +
                $"Call app.{call}() before app.UseResumableUploadEndpoints().");
        }
    }
}
