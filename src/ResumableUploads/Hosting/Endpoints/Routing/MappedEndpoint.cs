using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>A ready-made endpoint. Its group's prefix, its hosts and its name are known when it is built.</summary>
internal sealed class MappedEndpoint(IServiceProvider services, string pattern)
{
    private volatile string? _identity;

    /// <summary>Gets the pattern within its group.</summary>
    public string Pattern => pattern;

    /// <summary>
    /// Gets the identity of the endpoint, as <see cref="ResumableRoute.Identity"/> is that of an endpoint of the app, or <see langword="null"/> if the app does
    /// not route to it.
    /// </summary>
    public string? Identity => _identity ?? GetAfterBuild();

    /// <summary>Gets the identity as part of the keys of uploads.</summary>
    public string? Scope => Identity?.TrimEnd('\0');

    public void OnBuilt(EndpointBuilder builder) => _identity = ResumableRoute.GetMappedIdentity((RouteEndpointBuilder)builder);

    /// <summary>Builds the endpoints of the app, which otherwise happens with the first request.</summary>
    private string? GetAfterBuild()
    {
        _ = services.GetService<EndpointDataSource>()?.Endpoints;
        return _identity;
    }
}
