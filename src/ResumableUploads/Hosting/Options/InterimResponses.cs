namespace ResumableUploads;

/// <summary>
/// Specifies when interim responses (104) are sent. They are sent only to clients that announce support, and only where the server can send
/// them.
/// </summary>
public enum InterimResponses
{
    /// <summary>
    /// Interim responses are sent to clients that are certainly not proxies, because some proxies (such as nginx) treat a 104 as the final response: the
    /// connection uses TLS, the client has negotiated the HTTP version in the TLS handshake (ALPN), and the request has no <c>Via</c>, <c>Forwarded</c>,
    /// <c>X-Real-IP</c> or <c>X-Forwarded-*</c> header.
    /// </summary>
    Auto = 0,

    /// <summary>
    /// Interim responses are sent on every connection. Use it without a proxy, or behind one that forwards a 104, such as HAProxy, Caddy and lighttpd.
    /// </summary>
    Always = 1,

    /// <summary>Interim responses are never sent.</summary>
    Never = 2,
}
