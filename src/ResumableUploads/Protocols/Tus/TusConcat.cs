namespace ResumableUploads.Protocols.Tus;

/// <summary>The value of <c>Upload-Concat</c>: a partial upload, or a final upload that concatenates partial uploads (tus 1.0.0, Concatenation).</summary>
/// <param name="HeaderValue">The unparsed header value.</param>
/// <param name="PartUrls">The URLs of the parts in the order of concatenation for a final upload. Null for a partial upload.</param>
internal sealed record TusConcat(string HeaderValue, IReadOnlyList<string>? PartUrls)
{
    /// <summary>The maximum length of the header value, in characters.</summary>
    public const int MaxLength = 16 * 1024;
    private const string Partial = "partial";
    private const string Final = "final;";

    public bool IsFinal => PartUrls is not null;

    /// <summary>Parses the header value. Returns null if it is malformed or too long.</summary>
    public static TusConcat? TryParse(string raw)
    {
        if (raw == Partial)
        {
            return new TusConcat(raw, null);
        }

        // A status response repeats the value.
        if (raw.Length > MaxLength || !raw.StartsWith(Final, StringComparison.Ordinal) || !HeaderText.IsValid(raw))
        {
            return null;
        }

        string[] parts = raw[Final.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 ? new TusConcat(raw, parts) : null;
    }
}
