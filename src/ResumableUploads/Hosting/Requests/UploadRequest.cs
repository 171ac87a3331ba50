using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Requests;

/// <summary>A request of an upload protocol.</summary>
/// <param name="Context">The HTTP request.</param>
/// <param name="Url">The URL that it was sent to.</param>
/// <param name="Target">The app's endpoint behind it. <see langword="null"/> on a ready-made path.</param>
/// <param name="IsOnStatusPath">Whether it was sent to the status path, which only returns offsets.</param>
internal sealed record UploadRequest(HttpContext Context, UploadUrl Url, EndpointTarget? Target, bool IsOnStatusPath = false)
{
    public CancellationToken Aborted => Context.RequestAborted;
}
