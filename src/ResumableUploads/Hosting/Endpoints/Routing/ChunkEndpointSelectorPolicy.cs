using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Selects between resumable endpoints that share a URL and a method and accept different content types. Chunk endpoints accept any content type, so
/// each chunk must then have the content type of the complete content.
/// </summary>
internal sealed class ChunkEndpointSelectorPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Gets an order that runs this policy after all others.</summary>
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count(static endpoint => endpoint.Metadata.GetMetadata<ResumableRoute>() is not null) > 1;

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        int[] candidateIndexes = GetBestCandidates(candidates);
        if (candidateIndexes.Length > 1)
        {
            string type = httpContext.Request.ContentType ?? "";
            ILookup<ContentTypeMatch, int> byMatch = candidateIndexes.ToLookup(i => GetRoute(candidates[i].Endpoint)!.MatchContentType(type));
            ContentTypeMatch best = byMatch.Min(static matches => matches.Key);
            if (best == ContentTypeMatch.None)
            {
                candidates.ReplaceEndpoint(candidateIndexes[0], CreateAmbiguousContentTypeEndpoint([.. candidateIndexes.Select(i => candidates[i].Endpoint)]), candidates[candidateIndexes[0]].Values);
            }

            foreach (int other in best == ContentTypeMatch.None ? candidateIndexes[1..] : candidateIndexes.Except(byMatch[best]))
            {
                candidates.SetValidity(other, false);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Gets the chunk endpoints with the best score, which would be ambiguous without this policy.</summary>
    private static int[] GetBestCandidates(CandidateSet candidates)
    {
        int[] candidateIndexes = [.. Enumerable.Range(0, candidates.Count).Where(i => candidates.IsValidCandidate(i) && GetRoute(candidates[i].Endpoint) is not null)];
        return [.. candidateIndexes.Where(i => candidates[i].Score == candidates[candidateIndexes[0]].Score)];
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
