namespace ResumableUploads.Client;

/// <summary>A request of an upload that is about to be sent.</summary>
/// <param name="Request">The request.</param>
/// <param name="IsUnauthorized">Whether the response to the previous request was 401, so that a new access token is required.</param>
public sealed record UploadRequestContext(HttpRequestMessage Request, bool IsUnauthorized);
