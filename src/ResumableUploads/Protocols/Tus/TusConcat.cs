namespace ResumableUploads.Protocols.Tus;

/// <summary><c>Upload-Concat</c> (T-60, T-61): a part of something larger, or what joins the parts.</summary>
/// <param name="HeaderValue">The header as the client sent it.</param>
/// <param name="PartUrls">The URLs of the parts in their order, for a final upload; null for a partial one.</param>
internal sealed record TusConcat(string HeaderValue, IReadOnlyList<string>? PartUrls)
{
    public const int MaxLength = 16 * 1024;
    private const string Partial = "partial";
    private const string Final = "final;";

    public bool IsFinal => PartUrls is not null;

    /// <summary>Null when the text is malformed.</summary>
    public static TusConcat? TryParse(string raw)
    {
        if (raw == Partial)
        {
            return new TusConcat(raw, null);
        }

        if (raw.Length > MaxLength || !raw.StartsWith(Final, StringComparison.Ordinal))
        {
            return null;
        }

        string[] parts = raw[Final.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 ? new TusConcat(raw, parts) : null;
    }
}
