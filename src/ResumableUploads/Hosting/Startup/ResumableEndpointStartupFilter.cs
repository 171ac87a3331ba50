using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Startup;

/// <summary>Looks at the app's resumable endpoints when its pipeline is built, before it listens: what is wrong with one stops the start.</summary>
internal sealed class ResumableEndpointStartupFilter(ResumableEndpointRegistry registry, PipelineOrder order, ILogger<ResumableEndpointStartupFilter> logger) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        // The first middleware is the one that is built last. It adds nothing to a request.
        app.Use(pipeline =>
        {
            CheckEndpoints(app.ApplicationServices);
            return pipeline;
        });
        next(app);
    };

    private void CheckEndpoints(IServiceProvider services)
    {
        ResumableRoute[] routes = [.. services.GetService<EndpointDataSource>()?.Endpoints.Select(ResumableRoute.TryCreate).OfType<ResumableRoute>() ?? []];
        if (routes.Length == 0)
        {
            return;
        }

        if (order.DecompressionIsInFront)
        {
            throw new InvalidOperationException(
                "UseRequestDecompression() stands in front of the resumable endpoints, and a piece of a compressed body cannot be decompressed. " +
                "Call app.UseResumableUploadEndpoints() before app.UseRequestDecompression(), behind authorization: then the whole body is.");
        }

        foreach (ResumableRoute route in routes)
        {
            registry.GetOrStartDispatcher(route);
            if (order.RateLimiterIsInFront && IsRateLimited(route.AppEndpoint, services))
            {
                Log.RateLimiterBeforeChunks(logger, route.AppEndpoint.DisplayName);
            }
        }
    }

    private static bool IsRateLimited(Endpoint endpoint, IServiceProvider services) =>
        endpoint.Metadata.GetMetadata<DisableRateLimitingAttribute>() is null
        && (endpoint.Metadata.GetMetadata<EnableRateLimitingAttribute>() is not null
            || services.GetService<IOptions<RateLimiterOptions>>()?.Value.GlobalLimiter is not null);
}
