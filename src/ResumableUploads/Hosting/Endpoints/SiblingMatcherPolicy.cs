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
        [new PolicyNodeEdge(false, endpoints), new PolicyNodeEdge(true, ForPieces(endpoints))];

    public PolicyJumpTable BuildJumpTable(int exitDestination, IReadOnlyList<PolicyJumpTableEdge> edges)
    {
        int forPieces = exitDestination;
        int forOthers = exitDestination;
        foreach (PolicyJumpTableEdge edge in edges)
        {
            if ((bool)edge.State)
            {
                forPieces = edge.Destination;
            }
            else
            {
                forOthers = edge.Destination;
            }
        }

        return new Table(forPieces, forOthers);
    }

    /// <summary>
    /// The siblings, and of the app's other endpoints those that take content themselves: a request with content goes to the most specific URL,
    /// as ever. So do questions, where a more specific URL takes content and is not resumable.
    /// </summary>
    private List<Endpoint> ForPieces(IReadOnlyList<Endpoint> endpoints)
    {
        var found = new List<Endpoint>();
        ILookup<(int, decimal), ResumableRoute> routes = endpoints
            .Select(ResumableRoute.From).OfType<ResumableRoute>()
            .OrderBy(static route => route.Original.DisplayName, StringComparer.Ordinal)
            .ToLookup(static route => Specificity(route.Original));
        foreach (IGrouping<(int, decimal), ResumableRoute> url in routes)
        {
            found.AddRange(url.Select((route, i) => resumable.SiblingOf(route, answersQuestions: i == 0)));
        }

        (int, decimal) mostSpecific = routes.Min(static url => url.Key);
        IEnumerable<IGrouping<(int, decimal), Endpoint>> others = endpoints
            .Where(static endpoint => ResumableRoute.From(endpoint) is null).GroupBy(Specificity);
        foreach (IGrouping<(int, decimal), Endpoint> url in others)
        {
            Endpoint[] takingContent = [.. url.Where(static endpoint => ResumableRoute.ContentMethods(endpoint).Count > 0)];
            found.AddRange(takingContent.Length > 0 && url.Key.CompareTo(mostSpecific) < 0 ? url : takingContent);
        }

        return found;
    }

    private static (int Order, decimal Precedence) Specificity(Endpoint endpoint) =>
        endpoint is RouteEndpoint route ? (route.Order, route.RoutePattern.InboundPrecedence) : (int.MaxValue, 0);

    private static int Rank(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ResumableRoute>() is not null ? 0 : 1;

    private sealed class Table(int forPieces, int forOthers) : PolicyJumpTable
    {
        public override int GetDestination(HttpContext httpContext) =>
            UploadEndpoint.IsOurs(httpContext.Request) || UploadEndpoint.IsOurPreflight(httpContext.Request) ? forPieces : forOthers;
    }
}
