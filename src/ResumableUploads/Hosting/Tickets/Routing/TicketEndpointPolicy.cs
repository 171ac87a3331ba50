using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Endpoints.Routing.Chunks;

namespace ResumableUploads.Hosting.Tickets.Routing;

/// <summary>
/// Routes a request with a ticket to a copy of the upload endpoint without authorization policies, if the endpoint accepts tickets. The authorization
/// middleware runs before the ticket is checked, and would reject the request. The copy refuses every request without a valid ticket before it does anything
/// else. Endpoints of the app are never replaced: only those that handle chunks.
/// </summary>
internal sealed class TicketEndpointPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Gets an order that runs this policy last. It is registered after <see cref="ChunkEndpointSelectorPolicy"/>.</summary>
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(AcceptsTickets);

    public async Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        if (TicketQuery.HasTicket(httpContext))
        {
            for (int i = 0; i < candidates.Count; i++)
            {
                if (candidates.IsValidCandidate(i) && AcceptsTickets(candidates[i].Endpoint))
                {
                    candidates.ReplaceEndpoint(i, await TicketEndpoints.GetForUploadAsync(httpContext, candidates[i].Endpoint), candidates[i].Values);
                }
            }
        }
    }

    private static bool AcceptsTickets(Endpoint endpoint) =>
        TicketReader.Accepts(endpoint)
        && (endpoint.Metadata.GetMetadata<ResumableRoute>() is not null || endpoint.Metadata.GetMetadata<MappedUploadMetadata>() is not null);
}
