using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// The resumable endpoints at the URL of a request about an existing upload, if the request does not show which of them created the upload. A feature of
/// the request.
/// </summary>
/// <param name="ChunkEndpoints">The chunk endpoints, most specific first, with the route values that each of them gives to the URL.</param>
/// <param name="IsAuthorizationDeferred">
/// Whether the endpoints have different policies, so that the authorization middleware has applied none and that of the selected endpoint must be applied.
/// </param>
internal sealed record ResumableEndpointCandidates(IReadOnlyList<(Endpoint Endpoint, RouteValueDictionary Values)> ChunkEndpoints, bool IsAuthorizationDeferred);
