using Microsoft.AspNetCore.Http.Metadata;

namespace ResumableUploads.Hosting.Endpoints.Routing.Chunks;

/// <summary>
/// Endpoint metadata that makes cookie authentication respond with 401 or 403 instead of a redirect to a page, which an upload client would take for a
/// success. <see cref="IAllowCookieRedirectMetadata"/> of the app takes precedence.
/// </summary>
internal sealed class CookieRedirectDisabledMetadata : IDisableCookieRedirectMetadata
{
    public static readonly CookieRedirectDisabledMetadata Instance = new();
}
