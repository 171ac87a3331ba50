using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Endpoints.Routing.Chunks;

/// <summary>
/// Routes requests with the headers of an upload protocol to the chunk endpoints of the resumable endpoints at their URL, before the framework selects
/// by method or content type. All other requests are routed as without this policy.
/// </summary>
internal sealed class ChunkEndpointMatcherPolicy(ResumableEndpointRegistry registry) : MatcherPolicy, INodeBuilderPolicy, IEndpointComparerPolicy
{
    /// <summary>Gets an order that runs this policy before the framework's policy for HTTP methods.</summary>
    public override int Order => FrameworkInternals.HttpMethodPolicyOrder * 2;

    /// <summary>Gets a comparer that prefers a chunk endpoint to an endpoint of the app that accepts any method at the same URL.</summary>
    public IComparer<Endpoint> Comparer { get; } = Comparer<Endpoint>.Create(static (x, y) => GetRank(x).CompareTo(GetRank(y)));

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(static endpoint => ResumableRoute.TryCreate(endpoint) is not null);

    public IReadOnlyList<PolicyNodeEdge> GetEdges(IReadOnlyList<Endpoint> endpoints) =>
    [
        new PolicyNodeEdge(UploadRequestKind.None, endpoints),
        new PolicyNodeEdge(UploadRequestKind.FileId, GetContentEndpoints(endpoints)),
        new PolicyNodeEdge(UploadRequestKind.Tus, GetUploadEndpoints(HttpMethods.Post, endpoints)),
        new PolicyNodeEdge(UploadRequestKind.IetfCreation, GetContentEndpoints(endpoints)),
        new PolicyNodeEdge(UploadRequestKind.UploadCreatedByPost, GetUploadEndpoints(HttpMethods.Post, endpoints)),
        new PolicyNodeEdge(UploadRequestKind.UploadCreatedByPut, GetUploadEndpoints(HttpMethods.Put, endpoints)),
        new PolicyNodeEdge(UploadRequestKind.UploadCreatedByPatch, GetUploadEndpoints(HttpMethods.Patch, endpoints)),
        new PolicyNodeEdge(UploadRequestKind.Discovery, GetDiscoveryEndpoints(endpoints)),
    ];

    public PolicyJumpTable BuildJumpTable(int exitDestination, IReadOnlyList<PolicyJumpTableEdge> edges)
    {
        int[] destinations = new int[Enum.GetValues<UploadRequestKind>().Length];
        Array.Fill(destinations, exitDestination);
        foreach (PolicyJumpTableEdge edge in edges)
        {
            destinations[(int)edge.State] = edge.Destination;
        }

        return new RequestKindJumpTable(destinations);
    }

    /// <summary>Gets the chunk endpoints for the methods of the resumable endpoints, status requests and cancellations.</summary>
    private List<Endpoint> GetContentEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        [.. GetRoutes(endpoints).Select(route => registry.GetChunkEndpoint(route, ChunkEndpointRole.Content)), .. GetCompetingEndpoints(endpoints)];

    /// <summary>Gets the chunk endpoints of the endpoints that accept the method that created the upload. They accept requests with any method.</summary>
    private IReadOnlyList<Endpoint> GetUploadEndpoints(string method, IReadOnlyList<Endpoint> endpoints)
    {
        Endpoint[] chunkEndpoints =
            [.. GetRoutes(endpoints).Where(route => route.Methods.Contains(method)).Select(route => registry.GetChunkEndpoint(route, ChunkEndpointRole.AllMethods))];
        return chunkEndpoints.Length > 0 ? [.. chunkEndpoints, .. GetCompetingEndpoints(endpoints)] : endpoints;
    }

    /// <summary>Returns all endpoints, and those for OPTIONS unless an endpoint of the app accepts OPTIONS.</summary>
    private List<Endpoint> GetDiscoveryEndpoints(IReadOnlyList<Endpoint> endpoints) =>
    [
        .. endpoints,
        .. endpoints.Any(AcceptsOptions) ? [] : GetRoutes(endpoints).Select(route => registry.GetChunkEndpoint(route, ChunkEndpointRole.Discovery)),
    ];

    private static bool AcceptsOptions(Endpoint endpoint) => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods: { Count: > 0 } methods }
        ? methods.Contains(HttpMethods.Options, StringComparer.OrdinalIgnoreCase)
        : ResumableRoute.TryCreate(endpoint) is not null;

    /// <summary>Gets the resumable endpoints. Every one takes part, so that the selection of the app, such as by host or API version, chooses between them.</summary>
    private static IEnumerable<ResumableRoute> GetRoutes(IReadOnlyList<Endpoint> endpoints) => endpoints
        .Select(ResumableRoute.TryCreate).OfType<ResumableRoute>()
        .OrderBy(static route => route.AppEndpoint.DisplayName, StringComparer.Ordinal);

    /// <summary>
    /// Gets the endpoints that are not resumable and accept content: a request with content goes to the most specific URL, resumable or not. If such an
    /// endpoint has a more specific URL than all resumable ones, the other endpoints at its URL get the requests without content too.
    /// </summary>
    private static IEnumerable<Endpoint> GetCompetingEndpoints(IReadOnlyList<Endpoint> endpoints)
    {
        (int, decimal) mostSpecific = GetRoutes(endpoints).Min(static route => GetSpecificity(route.AppEndpoint));
        foreach (IGrouping<(int, decimal), Endpoint> url in endpoints.Where(static endpoint => ResumableRoute.TryCreate(endpoint) is null).GroupBy(GetSpecificity))
        {
            Endpoint[] contentEndpoints = [.. url.Where(static endpoint => ResumableRoute.GetContentMethods(endpoint).Count > 0)];
            foreach (Endpoint other in contentEndpoints.Length > 0 && url.Key.CompareTo(mostSpecific) < 0 ? url : (IEnumerable<Endpoint>)contentEndpoints)
            {
                yield return other;
            }
        }
    }

    private static (int Order, decimal Precedence) GetSpecificity(Endpoint endpoint) =>
        endpoint is RouteEndpoint route ? (route.Order, route.RoutePattern.InboundPrecedence) : (int.MaxValue, 0);

    private static int GetRank(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ResumableRoute>() is not null ? 0 : 1;

    private sealed class RequestKindJumpTable(int[] destinations) : PolicyJumpTable
    {
        public override int GetDestination(HttpContext httpContext) => destinations[(int)UploadRequestClassifier.Classify(httpContext.Request)];
    }
}
