namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// The resumable endpoints at the URL of a request about an existing upload, if the request does not show which of them created the upload. A feature of
/// the request.
/// </summary>
/// <param name="Routes">The endpoints, most specific first.</param>
internal sealed record ResumableEndpointCandidates(IReadOnlyList<ResumableRoute> Routes);
