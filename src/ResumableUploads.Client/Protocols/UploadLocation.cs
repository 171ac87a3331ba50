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

        bool isSameHost = string.Equals(location.IdnHost, response.Uri.IdnHost, StringComparison.OrdinalIgnoreCase);
        if (response.Uri.Scheme == "https" && location.Scheme == "http")
        {
            // A server behind a proxy that terminates TLS often does not know its own scheme.
            if (!isSameHost || !location.IsDefaultPort)
            {
                return ResponseClassifier.Violation("Location of an HTTPS endpoint is an HTTP URL.");
            }

            location = new UriBuilder(location) { Scheme = "https", Port = response.Uri.Port }.Uri;
        }

        bool isAllowed = allowsOtherHosts || (isSameHost && location.Port == response.Uri.Port);
        return isAllowed
            ? Step.Created(location, offset)
            : ResponseClassifier.Violation($"Location has another host ({location.Authority}) than the upload endpoint. If it is trusted, set {nameof(ResumableUploadClientOptions)}.{nameof(ResumableUploadClientOptions.AllowOtherHosts)}.");
    }
}
