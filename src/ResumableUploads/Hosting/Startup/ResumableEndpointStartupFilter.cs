using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Tickets;

namespace ResumableUploads.Hosting.Startup;

/// <summary>Starts the engines of the app's resumable endpoints before the app listens, so that a wrong option or store fails the start.</summary>
internal sealed class ResumableEndpointStartupFilter(ResumableEndpointRegistry registry) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        // A pipeline is built from its end: when the first middleware is created, all endpoints are known. It adds nothing to the pipeline.
        app.Use(pipeline =>
        {
            StartDispatchers(app.ApplicationServices);
            return pipeline;
        });
        next(app);
    };

    private void StartDispatchers(IServiceProvider services)
    {
        var identities = new Dictionary<string, ResumableRoute>(StringComparer.Ordinal);
        IReadOnlyList<Endpoint> endpoints = services.GetService<EndpointDataSource>()?.Endpoints ?? [];
        foreach (ResumableRoute route in endpoints.Select(ResumableRoute.TryCreate).OfType<ResumableRoute>())
        {
            registry.GetOrStartDispatcher(route);
            if (!identities.TryAdd(route.Identity, route))
            {
                throw new InvalidOperationException(
                    $"The resumable endpoints '{identities[route.Identity].AppEndpoint.DisplayName}' and '{route.AppEndpoint.DisplayName}' have the same route pattern, methods, hosts, content types and " +
                    "name, so an upload that one of them created could be completed by the other. Give them different names, with WithName() or [EndpointName].");
            }
        }

        if (endpoints.FirstOrDefault(TicketReader.Accepts) is { } accepting)
        {
            TicketProtector.ThrowIfServiceMissing(services, accepting.DisplayName);
        }
    }
}
