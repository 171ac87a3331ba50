using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>The app's resumable endpoints: their siblings, and the engines behind them.</summary>
internal sealed class ResumableEndpointRegistry(IServiceProvider services)
{
    private const string SharedEndpointName = "endpoints";

    private readonly ConditionalWeakTable<Endpoint, ConcurrentDictionary<ChunkEndpointRole, RouteEndpoint>> _chunkEndpoints = [];
    private readonly ConditionalWeakTable<IResumableEndpointMetadata, Lazy<UploadRequestDispatcher>> _ownDispatchers = [];
    private readonly ConcurrentDictionary<string, Lazy<UploadRequestDispatcher>> _sharedDispatchers = new(StringComparer.Ordinal);

    /// <summary>The sibling of an endpoint: the same object each time, so that a table of routes does not see two.</summary>
    public RouteEndpoint GetChunkEndpoint(ResumableRoute route, ChunkEndpointRole role) =>
        _chunkEndpoints.GetOrCreateValue(route.AppEndpoint).GetOrAdd(
            role,
            (role, of) => ChunkEndpoint.Create(of, role, context => HandleAsync(context, of, of.AppEndpoint.RequestDelegate!)),
            route);

    /// <summary>What takes the uploads of an endpoint: made now where it is the first.</summary>
    /// <exception cref="InvalidOperationException">An option or the store is wrong.</exception>
    public UploadRequestDispatcher GetOrStartDispatcher(ResumableRoute route) => route.Metadata.ConfigureOptions is not { } configure
        ? _sharedDispatchers.GetOrAdd(route.Metadata.OptionsName, CreateShared).Value
        : _ownDispatchers.GetValue(route.Metadata, _ => new Lazy<UploadRequestDispatcher>(
            () => UploadDispatcherFactory.CreateForEndpoints(services, RegisteredOptions.DefaultName, route.AppEndpoint.RoutePattern.RawText ?? SharedEndpointName, configure))).Value;

    private Lazy<UploadRequestDispatcher> CreateShared(string optionsName) => new(() => UploadDispatcherFactory.CreateForEndpoints(
        services, optionsName, optionsName.Length == 0 ? SharedEndpointName : $"{SharedEndpointName}:{optionsName}", configure: null));

    /// <summary>Takes a piece, or a question about one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="route">The endpoint that it is for.</param>
    /// <param name="next">What runs for the whole request, when this was the last piece.</param>
    public Task HandleAsync(HttpContext context, ResumableRoute route, RequestDelegate next)
    {
        // A piece may take as long as its line is slow. Where there is a timeout it stands still, and begins again around the handler.
        IHttpRequestTimeoutFeature? timeout = context.Features.Get<IHttpRequestTimeoutFeature>();
        timeout?.DisableTimeout();
        return GetOrStartDispatcher(route).HandleAsync(context, new EndpointTarget(route, next, HasRequestTimeouts: timeout is not null));
    }
}

/// <summary>Where the whole request of an upload goes.</summary>
/// <param name="Route">The endpoint.</param>
/// <param name="Next">What runs for it: the rest of the pipeline, or the endpoint alone.</param>
/// <param name="HasRequestTimeouts">Whether the app's request timeouts are in front, and stand still for the pieces.</param>
internal sealed record EndpointTarget(ResumableRoute Route, RequestDelegate Next, bool HasRequestTimeouts);
