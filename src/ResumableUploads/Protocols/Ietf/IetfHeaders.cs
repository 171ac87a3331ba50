using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>The header names and values of the IETF draft.</summary>
internal static class IetfHeaders
{
    public const string Version = "Upload-Draft-Interop-Version";
    public const string Complete = "Upload-Complete";

    /// <summary>The header of interop version 3 that replaces <see cref="Complete"/>, with the opposite value.</summary>
    public const string Incomplete = "Upload-Incomplete";

    public const string Offset = "Upload-Offset";
    public const string Length = "Upload-Length";
    public const string Limit = "Upload-Limit";

    /// <summary>The content type of an append.</summary>
    public const string PartialUploadContentType = "application/partial-upload";

    /// <summary>The headers that identify a request of the draft. The other headers are also used by tus.</summary>
    public static readonly string[] DraftOnlyHeaders = [Complete, Incomplete, Version];

    /// <summary>The request headers that are not visible to the application's endpoint.</summary>
    public static readonly string[] RequestHeaders = [.. DraftOnlyHeaders, Offset, Length];

    /// <summary>The response headers that CORS must expose.</summary>
    public static readonly string[] ResponseHeaders = [.. DraftOnlyHeaders, Offset, Length, Limit];

    /// <summary>Returns whether a request uses the draft. See docs/protocols/ietf.md#recognizing-a-request.</summary>
    public static bool ArePresent(IHeaderDictionary headers) =>
        Array.Exists(DraftOnlyHeaders, headers.ContainsKey) || IsPartialUploadContentType(headers.ContentType);

    public static bool IsPartialUploadContentType(StringValues contentType) =>
        contentType.ToString().Split(';')[0].Trim().Equals(PartialUploadContentType, StringComparison.OrdinalIgnoreCase);
}
