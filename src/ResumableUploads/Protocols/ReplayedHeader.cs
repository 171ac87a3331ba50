using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>
/// The header that marks the response of an upload that was already completed before the request. It is the same in all protocols, so that a client can
/// tell its user that the server already had the file.
/// </summary>
internal static class ReplayedHeader
{
    public const string Name = "X-Upload-Replayed";

    /// <summary>Returns a copy of a final response with the header if the result is a replay.</summary>
    public static HttpResponseData WithReplayedHeader(this HttpResponseData response, UploadResult result) =>
        response.WithHeader(Name, result.Kind == UploadResultKind.Replayed ? "true" : null);
}
