namespace ResumableUploads;

/// <summary>
/// Specifies when interim responses (104) are sent. They are sent only to clients that announce support, and only where the server can send
/// them.
/// </summary>
public enum InterimResponses
{
    /// <summary>
    /// Interim responses are sent unless the request has a <c>Via</c>, <c>Forwarded</c>, <c>X-Real-IP</c> or <c>X-Forwarded-*</c> header,
    /// because some proxies (such as nginx) treat a 104 as the final response.
    /// </summary>
    Auto = 0,

    /// <summary>Interim responses are also sent through proxies. Use it for proxies that forward a 104, such as Envoy and Caddy.</summary>
    Always = 1,

    /// <summary>Interim responses are never sent.</summary>
    Never = 2,
}
