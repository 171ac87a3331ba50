using Microsoft.AspNetCore.Cors.Infrastructure;
using ResumableUploads.Protocols.FileId;

namespace Microsoft.AspNetCore.Builder;

/// <summary>CORS for resumable uploads.</summary>
public static class ResumableUploadsCorsExtensions
{
    /// <summary>
    /// Lets pages of the policy's origins speak the upload protocols: allows and exposes the headers and allows the methods that they need
    /// (rule F-11). Origins and credentials stay the app's decision.
    /// </summary>
    /// <param name="policy">The policy.</param>
    public static CorsPolicyBuilder WithResumableUploads(this CorsPolicyBuilder policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy
            .WithMethods("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
            .WithHeaders(
                "Content-Type",
                FileIdHeaders.FileId,
                FileIdHeaders.StartByte,
                FileIdHeaders.FileSize,
                FileIdHeaders.FileName,
                FileIdHeaders.ContentDigest,
                FileIdHeaders.ReprDigest)
            .WithExposedHeaders(FileIdHeaders.StartByte, FileIdHeaders.UploadComplete, "Retry-After");
    }
}
