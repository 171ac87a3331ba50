using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads;

/// <summary>Takes the pieces at a place in the pipeline that the app has chosen: what comes behind it sees whole requests alone.</summary>
internal sealed class ResumableEndpointMiddleware(RequestDelegate next, ResumableEndpoints resumable)
{
    // The framework's own endpoint middleware asks the same of every endpoint, by the same keys.
    private const string AuthorizationRan = "__AuthorizationMiddlewareWithEndpointInvoked";
    private const string CorsRan = "__CorsMiddlewareWithEndpointInvoked";

    public Task InvokeAsync(HttpContext context)
    {
        Endpoint? endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<ResumableRoute>() is not { } route)
        {
            return next(context);
        }

        Require<IAuthorizeData>(context, endpoint, AuthorizationRan, "UseAuthorization");
        Require<ICorsMetadata>(context, endpoint, CorsRan, "UseCors");
        return resumable.HandleAsync(context, route, next);
    }

    private static void Require<T>(HttpContext context, Endpoint endpoint, string key, string call) where T : class
    {
        if (endpoint.Metadata.GetMetadata<T>() is not null && !context.Items.ContainsKey(key))
        {
            throw new InvalidOperationException(
                $"'{endpoint.DisplayName}' has a policy that {call}() applies, and its pieces came here without it. " +
                $"Call app.{call}() before app.UseResumableUploadEndpoints().");
        }
    }
}
