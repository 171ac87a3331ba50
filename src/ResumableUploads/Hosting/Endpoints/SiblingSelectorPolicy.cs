using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Protocols;

namespace ResumableUploads;

/// <summary>
/// Chooses between resumable endpoints that share a URL and a method, and differ in the content type that they take. The siblings take any
/// type, because a piece has none of its own: here the type says which endpoint is meant, so each piece has to name it.
/// </summary>
internal sealed class SiblingSelectorPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Behind everything else that tells endpoints apart.</summary>
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Count(static endpoint => endpoint.Metadata.GetMetadata<ResumableRoute>() is not null) > 1;

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        int[] siblings = Best(candidates);
        if (siblings.Length > 1)
        {
            string type = httpContext.Request.ContentType ?? "";
            ILookup<ContentTypeFit, int> byFit = siblings.ToLookup(i => Route(candidates[i].Endpoint)!.FitOf(type));
            ContentTypeFit fit = byFit.Min(static fits => fits.Key);
            if (fit == ContentTypeFit.None)
            {
                candidates.ReplaceEndpoint(siblings[0], WhichOne([.. siblings.Select(i => candidates[i].Endpoint)]), candidates[siblings[0]].Values);
            }

            foreach (int other in fit == ContentTypeFit.None ? siblings[1..] : siblings.Except(byFit[fit]))
            {
                candidates.SetValidity(other, false);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>The siblings that would be taken for one another: those with the best score.</summary>
    private static int[] Best(CandidateSet candidates)
    {
        int[] siblings = [.. Enumerable.Range(0, candidates.Count).Where(i => candidates.IsValidCandidate(i) && Route(candidates[i].Endpoint) is not null)];
        return [.. siblings.Where(i => candidates[i].Score == candidates[siblings[0]].Score)];
    }

    private static ResumableRoute? Route(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ResumableRoute>();

    private static Endpoint WhichOne(Endpoint[] siblings)
    {
        string types = string.Join(", ", siblings.SelectMany(static sibling =>
            Route(sibling)!.Original.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes ?? []).Distinct());
        var problem = new Problem(415, Problem.Own("content-type"), "Which endpoint?", string.Create(
            CultureInfo.InvariantCulture, $"More than one endpoint takes uploads here. Name the content type of the whole with each piece: {types}."));
        return new Endpoint(
            context => AnswerWriter.WriteAsync(context, problem.ToAnswer(), context.RequestAborted), EndpointMetadataCollection.Empty, "Resumable uploads: unclear content type");
    }
}
