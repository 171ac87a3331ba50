namespace ResumableUploads.Client.Protocols;

/// <summary>Reads the URL of a created upload.</summary>
internal static class UploadLocation
{
    public static Step Read(ServerResponse response, bool allowsOtherHosts, long offset)
    {
        if (response.GetHeader("Location") is not { } text || !Uri.TryCreate(response.Uri, text, out Uri? location) || location.Scheme is not ("http" or "https"))
        {
            return ResponseClassifier.Violation("Location is missing or invalid.");
        }

        // A relative URL is resolved against the URL after redirects (RFC 9110, section 10.2.2). The app has only chosen to trust the URL that it has set, so the host is compared with that one.
        Uri endpoint = response.RequestedUri;
        if (endpoint.Scheme == "https" && location.Scheme == "http")
        {
            // A server behind a proxy that terminates TLS often does not know its own scheme.
            if (!IsSameHost(endpoint, location) || !location.IsDefaultPort)
            {
                return ResponseClassifier.Violation("Location of an HTTPS endpoint is an HTTP URL.");
            }

            location = new UriBuilder(location) { Scheme = "https", Port = endpoint.Port }.Uri;
        }

        return IsAllowed(endpoint, location, allowsOtherHosts)
            ? Step.Created(location, offset)
            : ResponseClassifier.Violation($"Location has another host ({location.Authority}) than the upload endpoint. If it is trusted, set {nameof(ResumableUploadClientOptions)}.{nameof(ResumableUploadClientOptions.AllowOtherHosts)}.");
    }

    /// <summary>Returns whether the headers of the app can be sent to the URL of an upload.</summary>
    /// <param name="endpoint">The URL of the upload endpoint, before redirects.</param>
    /// <param name="location">The URL of the upload.</param>
    /// <param name="allowsOtherHosts">Whether the URL can have another host.</param>
    public static bool IsAllowed(Uri endpoint, Uri location, bool allowsOtherHosts) =>
        (location.Scheme == "https" || (location.Scheme == "http" && endpoint.Scheme == "http"))
        && (allowsOtherHosts || (IsSameHost(endpoint, location) && (location.Port == endpoint.Port || IsUpgrade(endpoint, location))));

    private static bool IsSameHost(Uri endpoint, Uri location) => string.Equals(location.IdnHost, endpoint.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns whether an HTTP endpoint redirects to HTTPS, both with their default ports.</summary>
    private static bool IsUpgrade(Uri endpoint, Uri location) =>
        endpoint is { Scheme: "http", IsDefaultPort: true } && location is { Scheme: "https", IsDefaultPort: true };
}
