using System.Globalization;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>What a server takes, in bytes, as <c>Upload-Limit</c> tells it .</summary>
/// <param name="MaxSize">The most of an upload.</param>
/// <param name="MinSize">Below this an upload is not made resumable.</param>
/// <param name="MaxAppendSize">The most of one request, or null.</param>
/// <param name="MinAppendSize">The least of one request that is not the last.</param>
internal sealed record IetfLimits(long MaxSize, long MinSize = 0, long? MaxAppendSize = null, long MinAppendSize = 0)
{
    /// <summary>The largest integer of a structured field.</summary>
    private const long MaxInteger = 999_999_999_999_999;

    /// <summary>The header's value.</summary>
    /// <param name="ageKey">How the version calls the time that is left.</param>
    /// <param name="left">That time, or null where an upload does not expire.</param>
    public string FormatHeader(string ageKey, TimeSpan? left)
    {
        (string Key, long? Value)[] members =
        [
            ("max-size", MaxSize),
            ("min-size", MinSize > 0 ? MinSize : null),
            ("max-append-size", MaxAppendSize),
            ("min-append-size", MinAppendSize > 0 ? MinAppendSize : null),
            (ageKey, left is { } time ? Math.Max(0, (long)time.TotalSeconds) : null),
        ];
        string text = string.Join(", ", members
            .Where(static member => member.Value <= MaxInteger)
            .Select(static member => string.Create(CultureInfo.InvariantCulture, $"{member.Key}={member.Value}")));
        return text.Length > 0 ? text : "min-size=0";
    }
}
