using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>A ready-made endpoint. Its group's prefix, its hosts and its name are known when it is built.</summary>
internal sealed class MappedEndpoint(IServiceProvider services, string pattern)
{
    private volatile string? _identity;
    private Action<string> _addName = static _ => { };

    /// <summary>Gets the pattern within its group.</summary>
    public string Pattern => pattern;

    /// <summary>
    /// Gets the identity of the endpoint, as <see cref="ResumableRoute.Identity"/> is that of an endpoint of the app, or <see langword="null"/> if the app does
    /// not route to it.
    /// </summary>
    public string? Identity => _identity ?? GetAfterBuild();

    /// <summary>Gets the identity as part of the keys of uploads.</summary>
    public string? Scope => Identity?.TrimEnd('\0');

    /// <summary>Gets the names of the engine: one, or none if the app does not route to the endpoint.</summary>
    public IReadOnlyCollection<string> EngineNames => Identity is { } identity ? [identity] : [];

    /// <summary>Sets the locks of the endpoint's store. The engines of the store must have different names.</summary>
    public void SetStorage(UploadLockTable storage, EngineNameRegistry names) => _addName = identity => names.Add(storage, identity, this,
        $"MapResumableUploads() is called twice for '{pattern}' with the same store, hosts and name, so the uploads of the one call could be completed by the other. " +
        "Call WithName() on each of them, with different names.");

    /// <summary>Sets the identity.</summary>
    /// <exception cref="InvalidOperationException">Another endpoint has the same identity.</exception>
    public void OnBuilt(EndpointBuilder builder)
    {
        string identity = ResumableRoute.GetMappedIdentity((RouteEndpointBuilder)builder);
        _addName(identity);
        _identity = identity;
    }

    /// <summary>Builds the endpoints of the app, which otherwise happens with the first request.</summary>
    private string? GetAfterBuild()
    {
        _ = services.GetService<EndpointDataSource>()?.Endpoints;
        return _identity;
    }
}
