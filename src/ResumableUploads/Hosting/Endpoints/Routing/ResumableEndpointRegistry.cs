using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Hosting.Endpoints.Routing.Chunks;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Hosting.Tickets;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>Holds the chunk endpoints and the dispatchers of the app's resumable endpoints.</summary>
internal sealed class ResumableEndpointRegistry(IServiceProvider services)
{
    private readonly ConditionalWeakTable<Endpoint, ConcurrentDictionary<ChunkEndpointRole, RouteEndpoint>> _chunkEndpoints = [];
    private readonly ConditionalWeakTable<IResumableEndpointMetadata, OwnOptionsEndpoints> _ownOptions = [];
    private readonly ConcurrentDictionary<string, Lazy<UploadRequestDispatcher>> _sharedDispatchers = new(StringComparer.Ordinal);

    /// <summary>Gets the chunk endpoint of a resumable endpoint. Returns the same instance each time, so that the routing graph does not contain duplicates.</summary>
    public RouteEndpoint GetChunkEndpoint(ResumableRoute route, ChunkEndpointRole role) =>
        _chunkEndpoints.GetOrCreateValue(route.AppEndpoint).GetOrAdd(
            role,
            (role, route) => ChunkEndpoint.Create(route, role, context => HandleAsync(context, route, next: null)),
            route);

    /// <summary>Gets the dispatcher for the uploads of an endpoint. Creates it, with its engine, on first use.</summary>
    /// <exception cref="InvalidOperationException">An option is invalid, or the store cannot be used.</exception>
    public UploadRequestDispatcher GetOrStartDispatcher(ResumableRoute route)
    {
        if (route.Metadata.ConfigureOptions is null)
        {
            return _sharedDispatchers.GetOrAdd(route.EngineName, _ => new(() => UploadDispatcherFactory.CreateForEndpoints(
                services, route.Metadata.OptionsName, new ServedEndpoints(route.EngineName, () => [route.EngineName]), configure: null))).Value;
        }

        OwnOptionsEndpoints endpoints = _ownOptions.GetValue(route.Metadata, _ => new OwnOptionsEndpoints(services, route));
        endpoints.Add(route);
        return endpoints.Dispatcher;
    }

    /// <summary>Handles a request of an upload protocol, such as a chunk, a status request or a cancellation.</summary>
    /// <param name="context">The request.</param>
    /// <param name="route">The endpoint of the app.</param>
    /// <param name="next">The delegate that runs with the complete request after the last chunk, or <see langword="null"/> to run the endpoint alone.</param>
    public Task HandleAsync(HttpContext context, ResumableRoute route, RequestDelegate? next)
    {
        // The dispatcher disables the timeout for the chunk. The timeout of the endpoint starts when the endpoint runs.
        bool hasRequestTimeouts = context.Features.Get<IHttpRequestTimeoutFeature>() is not null;
        EndpointTarget CreateTarget(ResumableRoute route) => new(route, next ?? (static context => context.GetEndpoint()!.RequestDelegate!(context)), hasRequestTimeouts);
        return context.Features.Get<ResumableEndpointCandidates>() is { } candidates
            ? HandleAsync(context, candidates, CreateTarget)
            : GetOrStartDispatcher(route).HandleAsync(context, CreateTarget(route));
    }

    /// <summary>
    /// Handles a request with the endpoint that created the upload, or with the most specific endpoint that the user may use if no such upload exists.
    /// </summary>
    private async Task HandleAsync(HttpContext context, ResumableEndpointCandidates candidates, Func<ResumableRoute, EndpointTarget> createTarget)
    {
        ClaimsPrincipal user = context.User;
        Endpoint? selected = null;
        RouteValueDictionary selectedValues = [];
        (UploadLookupResult Result, bool IsAllowed) best = default;
        foreach ((Endpoint endpoint, RouteValueDictionary values) in candidates.ChunkEndpoints)
        {
            // An upload belongs to the values that its endpoint gave to the URL when the upload was created.
            context.Request.RouteValues = values;
            bool isAllowed = !candidates.IsAuthorizationDeferred || UsesTicket(context, endpoint) || await DeferredAuthorization.AuthenticateAsync(context, endpoint);
            EndpointTarget target = CreateTarget(endpoint);
            (UploadLookupResult, bool) current = (await GetOrStartDispatcher(target.Route).LookUpAsync(context, target), isAllowed);
            if (selected is null || current.CompareTo(best) > 0)
            {
                (selected, selectedValues, best) = (endpoint, values, current);
            }

            context.User = user;
        }

        context.Request.RouteValues = selectedValues;
        await (candidates.IsAuthorizationDeferred && !UsesTicket(context, selected!) ? DeferredAuthorization.RunAsync(context, selected!, HandleSelectedAsync) : HandleSelectedAsync(context));

        // The dispatcher refuses the request if the ticket is not valid.
        static bool UsesTicket(HttpContext context, Endpoint endpoint) => TicketReader.Accepts(endpoint) && TicketQuery.HasTicket(context);

        EndpointTarget CreateTarget(Endpoint endpoint) => createTarget(endpoint.Metadata.GetMetadata<ResumableRoute>()!);

        Task HandleSelectedAsync(HttpContext context)
        {
            EndpointTarget target = CreateTarget(selected!);
            UploadRequestDispatcher dispatcher = GetOrStartDispatcher(target.Route);
            return best.Result == UploadLookupResult.StoreFailed ? dispatcher.HandleStoreFailureAsync(context, target) : dispatcher.HandleAsync(context, target);
        }
    }
}

/// <summary>The endpoints that share options of their own: one, or those of a group. Their engine has the name of each of them.</summary>
internal sealed class OwnOptionsEndpoints
{
    private readonly Lazy<UploadRequestDispatcher> _dispatcher;
    private ImmutableSortedSet<string> _engineNames = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public OwnOptionsEndpoints(IServiceProvider services, ResumableRoute first) => _dispatcher = new(() => UploadDispatcherFactory.CreateForEndpoints(
        services,
        RegisteredOptions.DefaultName,
        new ServedEndpoints(first.AppEndpoint.RoutePattern.RawText ?? first.EngineName, () => _engineNames),
        first.Metadata.ConfigureOptions));

    /// <summary>Gets the dispatcher. Creates it, with its engine, on first use.</summary>
    public UploadRequestDispatcher Dispatcher => _dispatcher.Value;

    public void Add(ResumableRoute route) => ImmutableInterlocked.Update(ref _engineNames, static (names, route) => names.Add(route.EngineName), route);
}

/// <summary>The endpoint that handles the complete request of an upload.</summary>
/// <param name="Route">The endpoint of the app.</param>
/// <param name="Next">The delegate that runs it: the rest of the pipeline, or the endpoint alone.</param>
/// <param name="HasRequestTimeouts">Whether the app uses request timeouts, which were disabled for the chunk.</param>
internal sealed record EndpointTarget(ResumableRoute Route, RequestDelegate Next, bool HasRequestTimeouts);
