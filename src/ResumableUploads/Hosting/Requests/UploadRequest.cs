using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Requests;

/// <summary>A request of an upload protocol.</summary>
/// <param name="Context">The HTTP request.</param>
/// <param name="Url">The URL that it was sent to.</param>
/// <param name="Target">The app's endpoint behind it. <see langword="null"/> on a ready-made path.</param>
/// <param name="IsOnStatusPath">Whether it was sent to the status path, which only returns offsets.</param>
internal sealed record UploadRequest(HttpContext Context, UploadUrl Url, EndpointTarget? Target, bool IsOnStatusPath = false)
{
    /// <summary>The methods that a client behind a proxy that blocks them can send as POST.</summary>
    private static readonly string[] OverridableMethods = [HttpMethods.Patch, HttpMethods.Delete, HttpMethods.Head];

    public CancellationToken Aborted => Context.RequestAborted;

    /// <summary>
    /// Gets the method of the request: that in <c>X-HTTP-Method-Override</c> for a tus request that was sent to an upload as POST. The method on the wire
    /// does not change, so no other endpoint can be reached, and the response has a body if that method allows it.
    /// </summary>
    public string Method { get; } =
        HttpMethods.IsPost(Context.Request.Method) && Url.IsUpload && Context.Request.Headers.ContainsKey(TusHeaders.Resumable)
        && Array.Find(OverridableMethods, method => string.Equals(method, Context.Request.Headers[TusHeaders.MethodOverride].ToString(), StringComparison.OrdinalIgnoreCase))
            is { } overridden
            ? overridden
            : Context.Request.Method;

    /// <summary>Gets the maximum size, in bytes, that the server accepted for the body of this request before the limit was disabled, or <see langword="null"/> for none.</summary>
    public long? ServerBodyLimit { get; } = Context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
}
