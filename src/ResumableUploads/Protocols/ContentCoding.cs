using Microsoft.AspNetCore.Http;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>The codings of a request body in <c>Content-Encoding</c> (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-8.4">RFC 9110 section 8.4</see>).</summary>
internal static class ContentCoding
{
    public const string Identity = AppendCommand.NoContentCoding;

    public const string Title = "Unsupported content coding";

    /// <summary>The type of a problem about the coding of a request body.</summary>
    public static readonly string ProblemType = Problem.CustomType("content-coding");

    /// <summary>Returns the codings of a request as one value, or null if its body is not encoded.</summary>
    public static string? Get(IHeaderDictionary headers) =>
        headers.ContentEncoding.ToString().Trim().ToLowerInvariant() is { Length: > 0 } coding && coding != Identity ? coding : null;

    /// <summary>Returns the problem of a request with an encoded body in a protocol that has no content codings, or null.</summary>
    public static Problem? Reject(IHeaderDictionary headers) => Get(headers) is null ? null : new(
        StatusCodes.Status415UnsupportedMediaType, ProblemType, Title, "Content-Encoding does not apply to chunks, whose offsets count the bytes of the file. Send the bytes without it.");
}
