using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace ResumableUploads;

/// <summary>The app's resumable endpoints: their siblings, and the engines behind them.</summary>
internal sealed class ResumableEndpoints(IServiceProvider services)
{
    private const string SharedName = "endpoints";

    private readonly ConditionalWeakTable<Endpoint, ConcurrentDictionary<SiblingRole, RouteEndpoint>> _siblings = [];
    private readonly ConditionalWeakTable<IResumableEndpointMetadata, Lazy<UploadEndpoint>> _own = [];
    private readonly ConcurrentDictionary<string, Lazy<UploadEndpoint>> _shared = new(StringComparer.Ordinal);

    /// <summary>The sibling of an endpoint: the same object each time, so that a table of routes does not see two.</summary>
    public RouteEndpoint SiblingOf(ResumableRoute route, SiblingRole role) =>
        _siblings.GetOrCreateValue(route.Original).GetOrAdd(
            role,
            (role, of) => Sibling.Of(of, role, context => HandleAsync(context, of, of.Original.RequestDelegate!)),
            route);

    /// <summary>What takes the uploads of an endpoint: made now where it is the first.</summary>
    /// <exception cref="InvalidOperationException">An option or the store is wrong.</exception>
    public UploadEndpoint Start(ResumableRoute route) => route.Settings.Configure is not { } configure
        ? _shared.GetOrAdd(route.Settings.OptionsName, Shared).Value
        : _own.GetValue(route.Settings, _ => new Lazy<UploadEndpoint>(
            () => UploadRuntime.StartForEndpoints(services, Options.DefaultName, route.Original.RoutePattern.RawText ?? SharedName, configure))).Value;

    private Lazy<UploadEndpoint> Shared(string optionsName) => new(() => UploadRuntime.StartForEndpoints(
        services, optionsName, optionsName.Length == 0 ? SharedName : $"{SharedName}:{optionsName}", configure: null));

    /// <summary>Takes a piece, or a question about one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="route">The endpoint that it is for.</param>
    /// <param name="next">What runs for the whole request, when this was the last piece.</param>
    public Task HandleAsync(HttpContext context, ResumableRoute route, RequestDelegate next)
    {
        // A piece may take as long as its line is slow. Where there is a timeout it stands still, and begins again around the handler.
        IHttpRequestTimeoutFeature? timeout = context.Features.Get<IHttpRequestTimeoutFeature>();
        timeout?.DisableTimeout();
        return Start(route).HandleAsync(context, new EndpointTarget(route, next, HasTimeouts: timeout is not null));
    }
}

/// <summary>Where the whole request of an upload goes.</summary>
/// <param name="Route">The endpoint.</param>
/// <param name="Next">What runs for it: the rest of the pipeline, or the endpoint alone.</param>
/// <param name="HasTimeouts">Whether the app's request timeouts are in front, and stand still for the pieces.</param>
internal sealed record EndpointTarget(ResumableRoute Route, RequestDelegate Next, bool HasTimeouts);
