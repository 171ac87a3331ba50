using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Hosting.Requests.Bodies;

/// <summary>The body and the <c>Content-Encoding</c> of a request before any middleware of the app ran.</summary>
internal sealed class OriginalBodyFeature
{
    private readonly StringValues _contentEncoding;
    private readonly Stream _body;

    private OriginalBodyFeature(StringValues contentEncoding, Stream body) => (_contentEncoding, _body) = (contentEncoding, body);

    /// <summary>Records the body of a request that has a <c>Content-Encoding</c>. Other requests have nothing to decode.</summary>
    public static void Record(HttpContext context)
    {
        if (context.Request.Headers.ContentEncoding is { Count: > 0 } contentEncoding)
        {
            context.Features.Set(new OriginalBodyFeature(contentEncoding, context.Request.Body));
        }
    }

    /// <summary>
    /// Returns whether a middleware has decoded the body: it was replaced, and its <c>Content-Encoding</c> was removed or shortened. A body that
    /// was replaced with the header unchanged (logging, buffering) still has the bytes that the client sent.
    /// </summary>
    public bool IsDecoded(HttpRequest request) =>
        !ReferenceEquals(request.Body, _body) && !StringValues.Equals(request.Headers.ContentEncoding, _contentEncoding);

    /// <summary>Restores the body, so that the rest of it can be drained without decoding it.</summary>
    public void Restore(HttpRequest request) => request.Body = _body;
}
