using Microsoft.AspNetCore.Cors.Infrastructure;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Allows resumable uploads in CORS policies.</summary>
public static class ResumableUploadsCorsExtensions
{
    /// <summary>Headers that tus clients send in addition to the headers of the protocol.</summary>
    private static readonly string[] ClientHeaders =
        ["Authorization", "Content-Type", "Content-Disposition", ContentRange.HeaderName, CommonHeaders.Prefer, "X-Request-ID", "X-Requested-With"];

    /// <summary>The longest time for which a browser keeps the response to a preflight request. Browsers with a lower maximum use that.</summary>
    private static readonly TimeSpan PreflightMaxAge = TimeSpan.FromDays(1);

    /// <summary>
    /// Allows pages of the policy's origins to use the upload protocols: allows their methods and request headers, exposes their response headers, and lets
    /// browsers keep the response to a preflight request for a day. Does not change origins and credentials.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <returns>The policy.</returns>
    public static CorsPolicyBuilder WithResumableUploads(this CorsPolicyBuilder policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy
            .WithMethods("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
            .WithHeaders(Distinct([.. ClientHeaders, .. FileIdHeaders.RequestHeaders, .. TusHeaders.RequestHeaders, .. IetfHeaders.RequestHeaders, .. DigestHeaders.RequestHeaders]))
            .WithExposedHeaders(Distinct(
            [
                FileIdHeaders.StartByte, FileIdHeaders.UploadComplete, ReplayedHeader.Name, "Location", "Content-Location", "Retry-After", .. TusHeaders.ResponseHeaders, .. IetfHeaders.ResponseHeaders,
                DigestHeaders.ReprDigest, CommonHeaders.UploadResponse, CommonHeaders.PreferenceApplied,
            ]))
            .SetPreflightMaxAge(PreflightMaxAge);
    }

    private static string[] Distinct(IEnumerable<string> names) => [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];
}
