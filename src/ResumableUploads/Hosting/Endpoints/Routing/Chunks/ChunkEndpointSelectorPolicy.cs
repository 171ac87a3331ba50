using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Requests.Responses;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Endpoints.Routing.Chunks;

/// <summary>
/// Selects between the chunk endpoints at one URL that the policies of the app, such as those for hosts and API versions, leave. The URL of an upload names
/// its endpoint. A request with content of a file-id upload, or one that creates an upload, is selected by its content type. A status request or a
/// cancellation by file id belongs to the endpoint that created the upload, which is known only when the store was read. A request with a ticket is for an
/// endpoint that accepts tickets, if there is one.
/// </summary>
internal sealed class ChunkEndpointSelectorPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    private static readonly Problem AmbiguousContentType = new(415, Problem.CustomType("content-type"), "The endpoint is ambiguous",
        "Several endpoints accept uploads at this URL. Send the content type of the complete content with each chunk.");

    private readonly DeferredAuthorization _authorization = new();
    private readonly PolicyDifferenceCheck _differences = new();

    // The authorization middleware caches policies per endpoint, so an endpoint per request would be a leak.
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _ambiguousEndpoints = [];

    /// <summary>Gets an order that runs this policy after all others.</summary>
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count(static endpoint => GetRoute(endpoint) is not null) > 1;

    public async Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        int[] all = [.. Enumerable.Range(0, candidates.Count).Where(i => candidates.IsValidCandidate(i) && GetRoute(candidates[i].Endpoint) is not null)];
        HttpRequest request = httpContext.Request;
        if (TicketQuery.HasTicket(httpContext) && all.Where(i => TicketReader.Accepts(candidates[i].Endpoint)).ToArray() is { Length: > 0 } accepting)
        {
            // No policy applies to the bearer at these endpoints, so the request must not reach the uploads of the others.
            Invalidate(candidates, [.. all.Except(accepting)]);
            all = accepting;
        }

        if (all.Length < 2)
        {
            return;
        }

        if (UploadUrl.GetCreationMethod(request) is not null)
        {
            // An upload that the selected endpoint has not created does not exist for it. The most specific position wins against endpoints that are not resumable.
            string? tag = UploadUrl.GetEndpointTag(request);
            CandidateState selected = candidates[all.FirstOrDefault(i => GetRoute(candidates[i].Endpoint)!.Tag == tag, all[0])];
            candidates.ReplaceEndpoint(all[0], selected.Endpoint, selected.Values);
            Invalidate(candidates, all[1..]);
        }
        else if (HttpMethods.IsOptions(request.Method))
        {
            _differences.WarnOnce(httpContext, GetEndpoints(candidates, all));
            Invalidate(candidates, all[1..]);
        }
        else if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsDelete(request.Method))
        {
            Endpoint[] endpoints = GetEndpoints(candidates, all);
            _differences.WarnOnce(httpContext, endpoints);
            bool isDeferred = DeferredAuthorization.IsNeeded(httpContext, endpoints);
            httpContext.Features.Set(new ResumableEndpointCandidates([.. all.Select(i => (candidates[i].Endpoint, candidates[i].Values ?? []))], isDeferred));
            if (isDeferred)
            {
                candidates.ReplaceEndpoint(all[0], await _authorization.GetUnauthorizedAsync(httpContext, endpoints[0]), candidates[all[0]].Values);
            }

            Invalidate(candidates, all[1..]);
        }
        else
        {
            SelectByContentType(httpContext, candidates, [.. all.Where(i => candidates[i].Score == candidates[all[0]].Score)]);
        }
    }

    private static Endpoint[] GetEndpoints(CandidateSet candidates, int[] indexes) => [.. indexes.Select(i => candidates[i].Endpoint)];

    /// <summary>Selects between candidates with the same score, which would be ambiguous without this policy.</summary>
    private void SelectByContentType(HttpContext context, CandidateSet candidates, int[] indexes)
    {
        if (indexes.Length < 2)
        {
            return;
        }

        string type = GetContentType(context.Request);
        ILookup<ContentTypeMatch, int> byMatch = indexes.ToLookup(i => GetRoute(candidates[i].Endpoint)!.MatchContentType(type));
        ContentTypeMatch best = byMatch.Min(static matches => matches.Key);
        if (best == ContentTypeMatch.None)
        {
            candidates.ReplaceEndpoint(indexes[0], GetAmbiguousContentTypeEndpoint(candidates[indexes[0]].Endpoint), candidates[indexes[0]].Values);
        }

        Invalidate(candidates, best == ContentTypeMatch.None ? indexes[1..] : [.. indexes.Except(byMatch[best])]);
    }

    /// <summary>Gets the type of the complete content. In a tus request, <c>Content-Type</c> describes the chunk.</summary>
    private static string GetContentType(HttpRequest request) =>
        (request.Headers.ContainsKey(TusHeaders.Resumable)
            ? TusMetadata.TryParse(request.Headers[TusHeaders.Metadata].ToString())?.ContentType
            : request.ContentType) ?? "";

    private static void Invalidate(CandidateSet candidates, int[] indexes)
    {
        foreach (int index in indexes)
        {
            candidates.SetValidity(index, false);
        }
    }

    private static ResumableRoute? GetRoute(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ResumableRoute>();

    /// <summary>
    /// Gets an endpoint that responds to requests that several endpoints accept. It has the CORS policy of one of them, and no authorization policy: the
    /// response is the same for every user, and does not name the types that the endpoints accept.
    /// </summary>
    private Endpoint GetAmbiguousContentTypeEndpoint(Endpoint endpoint) => _ambiguousEndpoints.GetValue(endpoint, static endpoint => new Endpoint(
        static context => ResponseWriter.WriteAsync(context, AmbiguousContentType.ToResponse(), context.RequestAborted),
        new EndpointMetadataCollection(
            [.. endpoint.Metadata.Where(static item => item is not ResumableRoute && !DeferredAuthorization.IsPolicy(item)), new AllowAnonymousAttribute()]),
        "Resumable uploads: ambiguous content type"));
}
