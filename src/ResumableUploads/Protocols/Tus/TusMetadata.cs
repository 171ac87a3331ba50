using System.Text;

namespace ResumableUploads.Protocols.Tus;

/// <summary><c>Upload-Metadata</c> (T-38): pairs of a key and a base64 value. The text is kept as it came; two keys mean something here.</summary>
/// <param name="HeaderValue">The header as the client sent it.</param>
/// <param name="FileName">The value of <c>filename</c>, or of <c>name</c>, or null.</param>
/// <param name="ContentType">The value of <c>filetype</c>, or of <c>type</c>, or null.</param>
internal sealed record TusMetadata(string HeaderValue, string? FileName, string? ContentType)
{
    /// <summary>All values that are texts.</summary>
    public IReadOnlyDictionary<string, string> Values { get; private init; } = new Dictionary<string, string>();

    public const int MaxLength = 8 * 1024;

    /// <summary>Null when the text is malformed.</summary>
    public static TusMetadata? TryParse(string raw)
    {
        if (raw.Length > MaxLength)
        {
            return null;
        }

        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string pair in raw.Split(','))
        {
            // Blanks around a comma are an old habit of clients; inside a pair there is one.
            string[] parts = pair.Trim(' ').Split(' ');
            if (parts.Length > 2 || parts[0].Length == 0 || Array.Exists(parts, static part => part.AsSpan().ContainsAnyExceptInRange('!', '~'))
                || !TryDecode(parts.Length == 2 ? parts[1] : "", out string? value) || !values.TryAdd(parts[0], value))
            {
                return null;
            }
        }

        string? type = values.GetValueOrDefault("filetype") ?? values.GetValueOrDefault("type");
        return new TusMetadata(
            raw,
            NullIfEmpty(values.GetValueOrDefault("filename") ?? values.GetValueOrDefault("name")),
            type is not null && type.All(static c => c is >= ' ' and <= '~') ? NullIfEmpty(type) : null)
        {
            Values = values.Where(static value => value.Value is not null).ToDictionary(static value => value.Key, static value => value.Value!, StringComparer.Ordinal),
        };
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>False when it is not base64. A value that is no text is none of ours, and stays in the header.</summary>
    private static bool TryDecode(string base64, out string? text)
    {
        text = null;
        byte[] bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out int length))
        {
            return false;
        }

        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            // Not a text.
        }

        return true;
    }
}
