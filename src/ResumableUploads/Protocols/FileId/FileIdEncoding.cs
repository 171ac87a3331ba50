using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ResumableUploads.Protocols.FileId;

/// <summary>Decodes header values of the file-id protocol, and extracts the file name from a file id.</summary>
internal static partial class FileIdEncoding
{
    private const int MaxExtensionLength = 10;
    private const int MaxStackLength = 512;

    /// <summary>Returns the bytes that the client sent, from the text to which the server decoded them.</summary>
    /// <param name="text">The value of the header.</param>
    /// <param name="isLatin1">Whether the server decoded the header as ISO-8859-1 rather than UTF-8.</param>
    public static byte[] GetBytes(string text, bool isLatin1) => isLatin1 ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);

    /// <summary>
    /// Decodes percent-encoded UTF-8. Invalid escapes are literal text, and bytes that are not valid UTF-8 are decoded as ISO-8859-1. See
    /// docs/protocols/file-id.md#file-name.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return "";
        }

        Span<byte> decoded = bytes.Length <= MaxStackLength ? stackalloc byte[bytes.Length] : new byte[bytes.Length];
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '%' && i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]))
            {
                decoded[length++] = byte.Parse(bytes.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }
            else
            {
                decoded[length++] = bytes[i];
            }
        }

        return Utf8OrLatin1Encoding.GetText(decoded[..length]);
    }

    /// <summary>
    /// Extracts the file name from an id of the usual form <c>name-size-time</c>, in which the time is a number or a text that may contain hyphens.
    /// An id of another form is returned as a whole.
    /// </summary>
    public static string ExtractFileName(ReadOnlySpan<byte> fileId, long? fileSize)
    {
        string id = Decode(fileId);
        if (fileSize is { } size)
        {
            Span<char> buffer = stackalloc char[24];
            buffer.TryWrite(CultureInfo.InvariantCulture, $"-{size}-", out int length);
            int at = id.AsSpan().LastIndexOf(buffer[..length]);
            if (at > 0)
            {
                return id[..at];
            }
        }

        int last = 0;
        foreach (ValueMatch match in NumberSegmentRegex().EnumerateMatches(id))
        {
            last = match.Index;
            if (HasFileExtension(id.AsSpan(0, last)))
            {
                break;
            }
        }

        return last == 0 ? id : id[..last];
    }

    /// <summary>Returns whether a name has an extension of up to 10 ASCII letters and digits. Reads only the end of the name: an id can have many numbers.</summary>
    private static bool HasFileExtension(ReadOnlySpan<char> name)
    {
        int length = 0;
        while (length <= MaxExtensionLength && length < name.Length && char.IsAsciiLetterOrDigit(name[^(length + 1)]))
        {
            length++;
        }

        return length is > 0 and <= MaxExtensionLength && name[..^length] is [.., not '.', '.'];
    }

    [GeneratedRegex("-[0-9]+(?=-)", RegexOptions.CultureInvariant)]
    private static partial Regex NumberSegmentRegex();
}
