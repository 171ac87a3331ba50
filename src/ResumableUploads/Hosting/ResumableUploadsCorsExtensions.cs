using Microsoft.AspNetCore.Cors.Infrastructure;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Tus;

namespace Microsoft.AspNetCore.Builder;

/// <summary>CORS for resumable uploads.</summary>
public static class ResumableUploadsCorsExtensions
{
    /// <summary>What clients of tus send beside the protocol's own headers.</summary>
    private static readonly string[] OfClients = ["Authorization", "Content-Type", "X-Request-ID", "X-Requested-With"];

    /// <summary>The headers of the IETF draft that clients of tus can be told to speak.</summary>
    private static readonly string[] OfDraft = ["Upload-Complete", "Upload-Incomplete", "Upload-Draft-Interop-Version"];

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
            .WithHeaders([.. OfClients, .. FileIdHeaders.OfRequests, FileIdHeaders.ReprDigest, .. TusHeaders.OfRequests, .. OfDraft])
            .WithExposedHeaders(
            [
                FileIdHeaders.StartByte, FileIdHeaders.UploadComplete, "Location", "Content-Location", "Retry-After", .. TusHeaders.OfAnswers, .. OfDraft,
            ]);
    }
}
