using System.Text;
using System.Text.Unicode;

namespace ResumableUploads.Protocols.Tus;

/// <summary>
/// The value of <c>Upload-Metadata</c>: pairs of a key and a base64 value (<see href="https://tus.io/protocols/resumable-upload#upload-metadata">tus 1.0.0, Upload-Metadata</see>).
/// What clients send in addition to the specification is accepted, see docs/protocols/tus.md#creation.
/// </summary>
/// <param name="HeaderValue">The unparsed header value.</param>
/// <param name="FileName">The value of <c>filename</c> or, if absent, of <c>name</c>; null if neither is present.</param>
/// <param name="ContentType">The value of <c>filetype</c> or of <c>type</c>, the first of them that is printable ASCII; null if none is.</param>
internal sealed record TusMetadata(string HeaderValue, string? FileName, string? ContentType)
{
    /// <summary>Gets all values that are base64 of valid UTF-8.</summary>
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

        var values = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
        foreach (string pair in raw.TrimEnd(',', ' ', '\t').Split(','))
        {
            string[] parts = pair.Trim(' ', '\t').Split(' ');
            if (parts.Length > 2 || parts[0].Length == 0 || Array.Exists(parts, static part => part.AsSpan().ContainsAnyExceptInRange('!', '~'))
                || !values.TryAdd(parts[0], Decode(parts.Length == 2 ? parts[1] : "")))
            {
                return null;
            }
        }

        string? GetContentType(string key) =>
            values.GetValueOrDefault(key) is { } bytes && !bytes.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~') ? NullIfEmpty(Encoding.ASCII.GetString(bytes)) : null;
        return new TusMetadata(
            raw,
            (values.GetValueOrDefault("filename") ?? values.GetValueOrDefault("name")) is { } name ? NullIfEmpty(Utf8OrLatin1Encoding.Instance.GetString(name)) : null,
            GetContentType("filetype") ?? GetContentType("type"))
        {
            Values = values.Where(static value => value.Value is not null && Utf8.IsValid(value.Value))
                .ToDictionary(static value => value.Key, static value => Encoding.UTF8.GetString(value.Value!), StringComparer.Ordinal),
        };
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    /// <summary>Decodes a value, with or without its padding. Returns null if it is not base64.</summary>
    private static byte[]? Decode(string base64)
    {
        string digits = base64.TrimEnd('=');
        string padded = digits.PadRight((digits.Length + 3) / 4 * 4, '=');
        byte[] bytes = new byte[padded.Length];
        return base64.Length <= padded.Length && Convert.TryFromBase64String(padded, bytes, out int length) ? bytes[..length] : null;
    }
}
