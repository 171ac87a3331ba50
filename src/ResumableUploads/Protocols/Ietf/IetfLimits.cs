using System.Globalization;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>The limits in bytes that <c>Upload-Limit</c> advertises (draft-ietf-httpbis-resumable-upload-12, section 4.1.4).</summary>
/// <param name="MaxSize">The maximum size of an upload.</param>
/// <param name="MinSize">The minimum size of a resumable upload.</param>
/// <param name="MaxAppendSize">The maximum size of the content of one request, or null for no limit.</param>
/// <param name="MinAppendSize">The minimum size of the content of one request that is not the last.</param>
internal sealed record IetfLimits(long MaxSize, long MinSize = 0, long? MaxAppendSize = null, long MinAppendSize = 0)
{
    /// <summary>The largest Integer of a structured field (RFC 9651, section 3.3.1).</summary>
    private const long MaxInteger = 999_999_999_999_999;

    /// <summary>
    /// Returns the value of <c>Upload-Limit</c> for clients of the other protocols, which have no header for the maximum size of a request, or null if there is
    /// no limit.
    /// </summary>
    public static string? FormatMaxAppendSize(long? maxAppendSize) =>
        maxAppendSize <= MaxInteger ? string.Create(CultureInfo.InvariantCulture, $"max-append-size={maxAppendSize}") : null;

    /// <summary>Returns the value of <c>Upload-Limit</c>.</summary>
    /// <param name="maxAgeKey">The key of the remaining lifetime, which differs between versions.</param>
    /// <param name="timeRemaining">The remaining lifetime of the upload, or null if it does not expire.</param>
    public string FormatHeader(string maxAgeKey, TimeSpan? timeRemaining)
    {
        (string Key, long? Value)[] members =
        [
            ("max-size", MaxSize),
            ("min-size", MinSize > 0 ? MinSize : null),
            ("max-append-size", MaxAppendSize),
            ("min-append-size", MinAppendSize > 0 ? MinAppendSize : null),
            (maxAgeKey, timeRemaining is { } time ? Math.Max(0, (long)time.TotalSeconds) : null),
        ];
        string text = string.Join(", ", members
            .Where(static member => member.Value <= MaxInteger)
            .Select(static member => string.Create(CultureInfo.InvariantCulture, $"{member.Key}={member.Value}")));

        // An empty dictionary cannot be sent as a header, so the server states a limit that does not restrict anything.
        return text.Length > 0 ? text : "min-size=0";
    }
}
