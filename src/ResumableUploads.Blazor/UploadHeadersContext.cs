namespace ResumableUploads.Blazor;

/// <summary>A request whose headers <see cref="ResumableUpload.HeadersProvider"/> returns.</summary>
/// <param name="IsUnauthorized">Whether the response to the previous request was 401, so that a new access token is required.</param>
public sealed record UploadHeadersContext(bool IsUnauthorized);
