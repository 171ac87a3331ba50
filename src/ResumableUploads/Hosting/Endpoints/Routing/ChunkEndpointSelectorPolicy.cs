using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Chooses between resumable endpoints that share a URL and a method, and differ in the content type that they take. The siblings take any
/// type, because a piece has none of its own: here the type says which endpoint is meant, so each piece has to name it.
/// </summary>
internal sealed class ChunkEndpointSelectorPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Behind everything else that tells endpoints apart.</summary>
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count(static endpoint => endpoint.Metadata.GetMetadata<ResumableRoute>() is not null) > 1;

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        int[] siblings = GetBestCandidates(candidates);
        if (siblings.Length > 1)
        {
            string type = httpContext.Request.ContentType ?? "";
            ILookup<ContentTypeMatch, int> byFit = siblings.ToLookup(i => GetRoute(candidates[i].Endpoint)!.MatchContentType(type));
            ContentTypeMatch fit = byFit.Min(static fits => fits.Key);
            if (fit == ContentTypeMatch.None)
            {
                candidates.ReplaceEndpoint(siblings[0], CreateAmbiguousContentTypeEndpoint([.. siblings.Select(i => candidates[i].Endpoint)]), candidates[siblings[0]].Values);
            }

            foreach (int other in fit == ContentTypeMatch.None ? siblings[1..] : siblings.Except(byFit[fit]))
            {
                candidates.SetValidity(other, false);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>The siblings that would be taken for one another: those with the best score.</summary>
    private static int[] GetBestCandidates(CandidateSet candidates)
    {
        int[] siblings = [.. Enumerable.Range(0, candidates.Count).Where(i => candidates.IsValidCandidate(i) && GetRoute(candidates[i].Endpoint) is not null)];
        return [.. siblings.Where(i => candidates[i].Score == candidates[siblings[0]].Score)];
    }

    private static ResumableRoute? GetRoute(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ResumableRoute>();

    private static Endpoint CreateAmbiguousContentTypeEndpoint(Endpoint[] siblings)
    {
        string types = string.Join(", ", siblings.SelectMany(static sibling =>
            GetRoute(sibling)!.AppEndpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes ?? []).Distinct());
        var problem = new Problem(415, Problem.CustomType("content-type"), "Which endpoint?", string.Create(
            CultureInfo.InvariantCulture, $"More than one endpoint takes uploads here. Name the content type of the whole with each piece: {types}."));
        return new Endpoint(
            context => ResponseWriter.WriteAsync(context, problem.ToResponse(), context.RequestAborted), EndpointMetadataCollection.Empty, "Resumable uploads: unclear content type");
    }
}
