using Microsoft.AspNetCore.Cors.Infrastructure;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace Microsoft.AspNetCore.Builder;

/// <summary>CORS for resumable uploads.</summary>
public static class ResumableUploadsCorsExtensions
{
    /// <summary>What clients of tus send beside the protocol's own headers.</summary>
    private static readonly string[] ClientHeaders = ["Authorization", "Content-Type", "Content-Disposition", "X-Request-ID", "X-Requested-With"];

    /// <summary>
    /// Lets pages of the policy's origins speak the upload protocols: allows and exposes the headers and allows the methods that they need
    /// (rule F-11, T-30). Origins and credentials stay the app's decision.
    /// </summary>
    /// <param name="policy">The policy.</param>
    public static CorsPolicyBuilder WithResumableUploads(this CorsPolicyBuilder policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy
            .WithMethods("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
            .WithHeaders([.. ClientHeaders, .. FileIdHeaders.RequestHeaders, .. TusHeaders.RequestHeaders, .. IetfHeaders.RequestHeaders, .. DigestHeaders.RequestHeaders])
            .WithExposedHeaders(
            [
                FileIdHeaders.StartByte, FileIdHeaders.UploadComplete, "Location", "Content-Location", "Retry-After", .. TusHeaders.ResponseHeaders, .. IetfHeaders.ResponseHeaders,
                DigestHeaders.ReprDigest,
            ]);
    }
}
