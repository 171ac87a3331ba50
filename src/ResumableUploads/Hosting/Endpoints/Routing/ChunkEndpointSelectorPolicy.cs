using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Selects between the chunk endpoints at one URL that the policies of the app, such as those for hosts and API versions, leave. A request with content of
/// a file-id upload, or one that creates an upload, is selected by its content type. A request about an existing upload belongs to the endpoint that
/// created it, which is known only when the store was read.
/// </summary>
internal sealed class ChunkEndpointSelectorPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    private readonly DeferredAuthorization _authorization = new();

    /// <summary>Gets an order that runs this policy after all others.</summary>
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count(static endpoint => GetRoute(endpoint) is not null) > 1;

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        int[] all = [.. Enumerable.Range(0, candidates.Count).Where(i => candidates.IsValidCandidate(i) && GetRoute(candidates[i].Endpoint) is not null)];
        if (all.Length > 1)
        {
            if (HttpMethods.IsOptions(httpContext.Request.Method))
            {
                Invalidate(candidates, all[1..]);
            }
            else if (IsAboutExistingUpload(httpContext.Request))
            {
                Endpoint[] endpoints = [.. all.Select(i => candidates[i].Endpoint)];
                bool isDeferred = DeferredAuthorization.IsNeeded(httpContext, endpoints);
                httpContext.Features.Set(new ResumableEndpointCandidates([.. all.Select(i => (candidates[i].Endpoint, candidates[i].Values ?? []))], isDeferred));
                if (isDeferred)
                {
                    candidates.ReplaceEndpoint(all[0], _authorization.GetUnauthorized(endpoints[0]), candidates[all[0]].Values);
                }

                Invalidate(candidates, all[1..]);
            }
            else
            {
                SelectByContentType(httpContext, candidates, [.. all.Where(i => candidates[i].Score == candidates[all[0]].Score)]);
            }
        }

        return Task.CompletedTask;
    }

    private static bool IsAboutExistingUpload(HttpRequest request) =>
        UploadUrl.GetCreationMethod(request) is not null || HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsDelete(request.Method);

    /// <summary>Selects between candidates with the same score, which would be ambiguous without this policy.</summary>
    private static void SelectByContentType(HttpContext context, CandidateSet candidates, int[] indexes)
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
            candidates.ReplaceEndpoint(indexes[0], CreateAmbiguousContentTypeEndpoint([.. indexes.Select(i => candidates[i].Endpoint)]), candidates[indexes[0]].Values);
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

    private static Endpoint CreateAmbiguousContentTypeEndpoint(Endpoint[] endpoints)
    {
        string types = string.Join(", ", endpoints.SelectMany(static endpoint =>
            GetRoute(endpoint)!.AppEndpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes ?? []).Distinct());
        var problem = new Problem(415, Problem.CustomType("content-type"), "The endpoint is ambiguous", string.Create(
            CultureInfo.InvariantCulture, $"Several endpoints accept uploads at this URL. Send the content type of the complete content with each chunk: {types}."));
        return new Endpoint(
            context => ResponseWriter.WriteAsync(context, problem.ToResponse(), context.RequestAborted), EndpointMetadataCollection.Empty, "Resumable uploads: ambiguous content type");
    }
}
