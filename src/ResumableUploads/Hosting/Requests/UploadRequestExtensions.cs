using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Small conversions that the request handlers share.</summary>
internal static class UploadRequestExtensions
{
    /// <summary>Gets the length of the body, or <see langword="null"/> if only the end of the body tells it.</summary>
    public static long? GetBodyLength(this HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true ? context.Request.ContentLength : 0;

    /// <summary>Adds the digest of a complete upload that the client requested when it created it.</summary>
    public static HttpResponseData WithDigest(this HttpResponseData response, UploadInfo? info) =>
        response.WithHeader(DigestHeaders.ReprDigest, info is { State: not UploadState.Receiving } ? EngineRecord.From(info).ComputedReprDigest : null);
}
