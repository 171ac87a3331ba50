using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Sends requests that carry a protocol's headers to the siblings of the resumable endpoints at their URL, before anything is decided by
/// method or content type. Every other request finds the app's endpoints as if this were not here.
/// </summary>
internal sealed class ChunkEndpointMatcherPolicy(ResumableEndpointRegistry registry) : MatcherPolicy, INodeBuilderPolicy, IEndpointComparerPolicy
{
    /// <summary>Before the framework's policy for methods, which is at -1000.</summary>
    public override int Order => -2000;

    /// <summary>At one URL a sibling goes before what the app has there for any method.</summary>
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

    /// <summary>One sibling for each endpoint, with its own methods; questions go to the first at their URL.</summary>
    private List<Endpoint> GetContentEndpoints(IReadOnlyList<Endpoint> endpoints) =>
    [
        .. GroupResumableRoutes(endpoints).SelectMany(url => url.Select((route, i) => registry.GetChunkEndpoint(route, i == 0 ? ChunkEndpointRole.ContentAndManagement : ChunkEndpointRole.Content))),
        .. GetCompetingEndpoints(endpoints),
    ];

    /// <summary>One sibling for each URL where an endpoint takes the method by which an upload was made, whatever the method of a piece is.</summary>
    private IReadOnlyList<Endpoint> GetUploadEndpoints(string method, IReadOnlyList<Endpoint> endpoints)
    {
        Endpoint[] siblings =
        [
            .. GroupResumableRoutes(endpoints)
                .Select(url => url.FirstOrDefault(route => route.Methods.Contains(method)))
                .OfType<ResumableRoute>()
                .Select(route => registry.GetChunkEndpoint(route, ChunkEndpointRole.AllMethods)),
        ];
        return siblings.Length > 0 ? [.. siblings, .. GetCompetingEndpoints(endpoints)] : endpoints;
    }

    /// <summary>One sibling for each URL, unless the app answers OPTIONS there by itself.</summary>
    private List<Endpoint> GetDiscoveryEndpoints(IReadOnlyList<Endpoint> endpoints) =>
    [
        .. endpoints,
        .. endpoints.Any(AcceptsOptions) ? [] : GroupResumableRoutes(endpoints).Select(url => registry.GetChunkEndpoint(url.First(), ChunkEndpointRole.Discovery)),
    ];

    private static bool AcceptsOptions(Endpoint endpoint) => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods: { Count: > 0 } methods }
        ? methods.Contains(HttpMethods.Options, StringComparer.OrdinalIgnoreCase)
        : ResumableRoute.TryCreate(endpoint) is not null;

    /// <summary>The resumable endpoints by how specific their URL is.</summary>
    private static ILookup<(int, decimal), ResumableRoute> GroupResumableRoutes(IReadOnlyList<Endpoint> endpoints) => endpoints
        .Select(ResumableRoute.TryCreate).OfType<ResumableRoute>()
        .OrderBy(static route => route.AppEndpoint.DisplayName, StringComparer.Ordinal)
        .ToLookup(static route => GetSpecificity(route.AppEndpoint));

    /// <summary>
    /// Of the app's other endpoints those that take content themselves: a request with content goes to the most specific URL, as ever. So do
    /// questions, where a more specific URL takes content and is not resumable.
    /// </summary>
    private static IEnumerable<Endpoint> GetCompetingEndpoints(IReadOnlyList<Endpoint> endpoints)
    {
        (int, decimal) mostSpecific = GroupResumableRoutes(endpoints).Min(static url => url.Key);
        foreach (IGrouping<(int, decimal), Endpoint> url in endpoints.Where(static endpoint => ResumableRoute.TryCreate(endpoint) is null).GroupBy(GetSpecificity))
        {
            Endpoint[] takingContent = [.. url.Where(static endpoint => ResumableRoute.GetContentMethods(endpoint).Count > 0)];
            foreach (Endpoint other in takingContent.Length > 0 && url.Key.CompareTo(mostSpecific) < 0 ? url : (IEnumerable<Endpoint>)takingContent)
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
