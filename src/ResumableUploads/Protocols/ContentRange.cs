using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ResumableUploads.Protocols;

/// <summary>
/// The part of a file that a request body contains (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-14.5">RFC 9110 section 14.5, partial PUT</see>).
/// </summary>
/// <param name="Offset">The offset of the first byte.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="FileSize">The size of the whole file, in bytes, or null if the client does not know it.</param>
internal sealed record ContentRange(long Offset, long Length, long? FileSize)
{
    public const string HeaderName = "Content-Range";

    /// <summary>Parses the header of a request.</summary>
    /// <returns><see langword="false"/> if the header is invalid. The range is null if the header is invalid or absent.</returns>
    public static bool TryParse(StringValues values, out ContentRange? range)
    {
        range = null;
        if (values.Count == 0)
        {
            return true;
        }

        if (values.Count > 1
            || !ContentRangeHeaderValue.TryParse(values.ToString(), out ContentRangeHeaderValue? value)
            || value is not { From: { } from, To: { } to }
            || !value.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            || to - from == long.MaxValue)
        {
            return false;
        }

        range = new ContentRange(from, to - from + 1, value.Length);
        return true;
    }

    /// <summary>Returns the problem of a request with the header in a protocol that has headers of its own for the offset, or null.</summary>
    public static Problem? Reject(IHeaderDictionary headers) => headers.ContainsKey(HeaderName)
        ? CreateProblem("Content-Range is only valid with X-File-Id. Send the offset in Upload-Offset instead.")
        : null;

    public static Problem CreateProblem(string detail) => new(400, Problem.CustomType("bad-content-range"), "Invalid request header", detail);
}
