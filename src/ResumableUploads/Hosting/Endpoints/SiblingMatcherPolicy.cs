using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;

namespace ResumableUploads;

/// <summary>
/// Sends requests that carry a protocol's headers to the siblings of the resumable endpoints at their URL, before anything is decided by
/// method or content type. Every other request finds the app's endpoints as if this were not here.
/// </summary>
internal sealed class SiblingMatcherPolicy(ResumableEndpoints resumable) : MatcherPolicy, INodeBuilderPolicy, IEndpointComparerPolicy
{
    /// <summary>Before the framework's policy for methods, which is at -1000.</summary>
    public override int Order => -2000;

    /// <summary>At one URL a sibling goes before what the app has there for any method.</summary>
    public IComparer<Endpoint> Comparer { get; } = Comparer<Endpoint>.Create(static (x, y) => Rank(x).CompareTo(Rank(y)));

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(static endpoint => ResumableRoute.From(endpoint) is not null);

    public IReadOnlyList<PolicyNodeEdge> GetEdges(IReadOnlyList<Endpoint> endpoints) =>
    [
        new PolicyNodeEdge(UploadProtocol.None, endpoints),
        new PolicyNodeEdge(UploadProtocol.FileId, ForContent(endpoints)),
        new PolicyNodeEdge(UploadProtocol.Tus, ForUploadsBy(HttpMethods.Post, endpoints)),
        new PolicyNodeEdge(UploadProtocol.Ietf, ForContent(endpoints)),
        new PolicyNodeEdge(UploadProtocol.UploadByPost, ForUploadsBy(HttpMethods.Post, endpoints)),
        new PolicyNodeEdge(UploadProtocol.UploadByPut, ForUploadsBy(HttpMethods.Put, endpoints)),
        new PolicyNodeEdge(UploadProtocol.UploadByPatch, ForUploadsBy(HttpMethods.Patch, endpoints)),
        new PolicyNodeEdge(UploadProtocol.Discovery, ForDiscovery(endpoints)),
    ];

    public PolicyJumpTable BuildJumpTable(int exitDestination, IReadOnlyList<PolicyJumpTableEdge> edges)
    {
        int[] destinations = new int[Enum.GetValues<UploadProtocol>().Length];
        Array.Fill(destinations, exitDestination);
        foreach (PolicyJumpTableEdge edge in edges)
        {
            destinations[(int)edge.State] = edge.Destination;
        }

        return new Table(destinations);
    }

    /// <summary>One sibling for each endpoint, with its own methods; questions go to the first at their URL.</summary>
    private List<Endpoint> ForContent(IReadOnlyList<Endpoint> endpoints) =>
    [
        .. Resumable(endpoints).SelectMany(url => url.Select((route, i) => resumable.SiblingOf(route, i == 0 ? SiblingRole.ContentAndQuestions : SiblingRole.Content))),
        .. Others(endpoints),
    ];

    /// <summary>One sibling for each URL where an endpoint takes the method by which an upload was made, whatever the method of a piece is.</summary>
    private IReadOnlyList<Endpoint> ForUploadsBy(string method, IReadOnlyList<Endpoint> endpoints)
    {
        Endpoint[] siblings =
        [
            .. Resumable(endpoints)
                .Select(url => url.FirstOrDefault(route => route.Methods.Contains(method)))
                .OfType<ResumableRoute>()
                .Select(route => resumable.SiblingOf(route, SiblingRole.Everything)),
        ];
        return siblings.Length > 0 ? [.. siblings, .. Others(endpoints)] : endpoints;
    }

    /// <summary>One sibling for each URL, unless the app answers OPTIONS there by itself.</summary>
    private List<Endpoint> ForDiscovery(IReadOnlyList<Endpoint> endpoints) =>
    [
        .. endpoints,
        .. endpoints.Any(TakesOptions) ? [] : Resumable(endpoints).Select(url => resumable.SiblingOf(url.First(), SiblingRole.Discovery)),
    ];

    private static bool TakesOptions(Endpoint endpoint) => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods: { Count: > 0 } methods }
        ? methods.Contains(HttpMethods.Options, StringComparer.OrdinalIgnoreCase)
        : ResumableRoute.From(endpoint) is not null;

    /// <summary>The resumable endpoints by how specific their URL is.</summary>
    private static ILookup<(int, decimal), ResumableRoute> Resumable(IReadOnlyList<Endpoint> endpoints) => endpoints
        .Select(ResumableRoute.From).OfType<ResumableRoute>()
        .OrderBy(static route => route.Original.DisplayName, StringComparer.Ordinal)
        .ToLookup(static route => Specificity(route.Original));

    /// <summary>
    /// Of the app's other endpoints those that take content themselves: a request with content goes to the most specific URL, as ever. So do
    /// questions, where a more specific URL takes content and is not resumable.
    /// </summary>
    private static IEnumerable<Endpoint> Others(IReadOnlyList<Endpoint> endpoints)
    {
        (int, decimal) mostSpecific = Resumable(endpoints).Min(static url => url.Key);
        foreach (IGrouping<(int, decimal), Endpoint> url in endpoints.Where(static endpoint => ResumableRoute.From(endpoint) is null).GroupBy(Specificity))
        {
            Endpoint[] takingContent = [.. url.Where(static endpoint => ResumableRoute.ContentMethods(endpoint).Count > 0)];
            foreach (Endpoint other in takingContent.Length > 0 && url.Key.CompareTo(mostSpecific) < 0 ? url : (IEnumerable<Endpoint>)takingContent)
            {
                yield return other;
            }
        }
    }

    private static (int Order, decimal Precedence) Specificity(Endpoint endpoint) =>
        endpoint is RouteEndpoint route ? (route.Order, route.RoutePattern.InboundPrecedence) : (int.MaxValue, 0);

    private static int Rank(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ResumableRoute>() is not null ? 0 : 1;

    private sealed class Table(int[] destinations) : PolicyJumpTable
    {
        public override int GetDestination(HttpContext httpContext) => destinations[(int)ProtocolOf.Of(httpContext.Request)];
    }
}
