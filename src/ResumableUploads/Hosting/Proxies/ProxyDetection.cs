using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ResumableUploads.Hosting.Proxies;

/// <summary>
/// Detects requests that came through a proxy. The headers <c>X-Original-*</c> are included because <c>UseForwardedHeaders</c> renames the headers that it
/// processes.
/// </summary>
internal static class ProxyDetection
{
    private static readonly string[] Names = ["Via", "Forwarded", "X-Real-IP"];
    private static readonly string[] Prefixes = ["X-Forwarded-", "X-Original-"];

    /// <summary>
    /// Returns whether a request certainly came without a proxy that may not forward interim responses. No header is not enough, because HAProxy and nginx add
    /// none by default. Clients negotiate the HTTP version in the TLS handshake (ALPN). A proxy that takes a 104 for the final response does not: nginx connects
    /// to the app without TLS, or with TLS and without ALPN.
    /// </summary>
    public static bool IsDirect(HttpContext context) =>
        context.Features.Get<ITlsApplicationProtocolFeature>() is { ApplicationProtocol.IsEmpty: false } && !HasHeaders(context.Request.Headers);

    /// <summary>Returns whether a request certainly came through a proxy: it has one of the headers, or is HTTP/1.0, which only proxies use.</summary>
    public static bool IsProxied(HttpRequest request) => HttpProtocol.IsHttp10(request.Protocol) || HasHeaders(request.Headers);

    private static bool HasHeaders(IHeaderDictionary headers) =>
        Array.Exists(Names, headers.ContainsKey)
        || headers.Keys.Any(static name => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)));
}
