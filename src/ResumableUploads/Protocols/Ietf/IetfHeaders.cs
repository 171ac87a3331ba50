using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>Names of the IETF draft.</summary>
internal static class IetfHeaders
{
    public const string Version = "Upload-Draft-Interop-Version";
    public const string Complete = "Upload-Complete";

    /// <summary>What interop version 3 has in place of <see cref="Complete"/>, with the opposite meaning.</summary>
    public const string Incomplete = "Upload-Incomplete";

    public const string Offset = "Upload-Offset";
    public const string Length = "Upload-Length";
    public const string Limit = "Upload-Limit";

    /// <summary>The content type of an append.</summary>
    public const string PartialUploadContentType = "application/partial-upload";

    /// <summary>By which a request is known as one of the draft. The others are also those of tus.</summary>
    public static readonly string[] DraftOnlyHeaders = [Complete, Incomplete, Version];

    /// <summary>What requests of the protocol carry, and the application's endpoint does not see.</summary>
    public static readonly string[] RequestHeaders = [.. DraftOnlyHeaders, Offset, Length];

    /// <summary>What answers of the protocol carry, and a page has to be able to read.</summary>
    public static readonly string[] ResponseHeaders = [.. DraftOnlyHeaders, Offset, Length, Limit];

    /// <summary>Whether something in a request says that it speaks the draft.</summary>
    public static bool ArePresent(IHeaderDictionary headers) =>
        Array.Exists(DraftOnlyHeaders, headers.ContainsKey) || ConflictingHeaders.IsPartialUploadContentType(headers.ContentType);
}
