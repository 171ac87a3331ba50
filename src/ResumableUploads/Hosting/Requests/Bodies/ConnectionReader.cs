using System.IO.Pipelines;
using System.Reflection;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResumableUploads.Hosting.Requests.Bodies;

/// <summary>
/// Finds the connection of a request whose body is a plain part of it. With HTTP/1.1 and <c>Content-Length</c>, Kestrel returns the bytes of the connection
/// without copying them, and throws once the client has closed the connection, even if it has received more.
/// </summary>
internal static class ConnectionReader
{
    private static readonly Assembly Kestrel = typeof(KestrelServer).Assembly;

    /// <summary>Returns the reader of the connection, or <see langword="null"/> if the server rejects the body, or if the server or a middleware transforms its bytes.</summary>
    public static PipeReader? Get(HttpContext context, PipeReader body) =>
        context.Request.ContentLength is > 0 and var length
        && !(length > context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize)
        && HttpProtocol.IsHttp11(context.Request.Protocol) && ExpectContinueBodyReader.Unwrap(body).GetType().Assembly == Kestrel
            ? context.Features.Get<IConnectionTransportFeature>()?.Transport.Input
            : null;
}
