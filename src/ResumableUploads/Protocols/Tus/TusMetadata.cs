using System.Text;

namespace ResumableUploads.Protocols.Tus;

/// <summary>The value of <c>Upload-Metadata</c>: pairs of a key and a base64 value (<see href="https://tus.io/protocols/resumable-upload#upload-metadata">tus 1.0.0, Upload-Metadata</see>).</summary>
/// <param name="HeaderValue">The unparsed header value.</param>
/// <param name="FileName">The value of <c>filename</c> or, if absent, of <c>name</c>; null if neither is present.</param>
/// <param name="ContentType">The value of <c>filetype</c> or, if absent, of <c>type</c>; null if neither is present or the value is not printable ASCII.</param>
internal sealed record TusMetadata(string HeaderValue, string? FileName, string? ContentType)
{
    /// <summary>Gets all values that are valid UTF-8.</summary>
    public IReadOnlyDictionary<string, string> Values { get; private init; } = new Dictionary<string, string>();

    /// <summary>The maximum length of the header value, in characters.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>Parses the header value. Returns null if it is malformed or too long.</summary>
    public static TusMetadata? TryParse(string raw)
    {
        if (raw.Length > MaxLength)
        {
            return null;
        }

        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string pair in raw.Split(','))
        {
            // The specification does not allow spaces around a comma, but some clients send them.
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

    /// <summary>Decodes a value. Returns false if it is not base64. The text is null if the decoded value is not UTF-8.</summary>
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
            // A binary value is valid, but has no text.
        }

        return true;
    }
}
