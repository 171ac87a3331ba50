using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ResumableUploads.Protocols.FileId;

/// <summary>The texts of the protocol: header bytes, percent-encoding, and the name inside a file id (F-1, F-2).</summary>
internal static partial class FileIdEncoding
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes that a client sent, from the text that the server made of them.</summary>
    /// <param name="text">The header's value.</param>
    /// <param name="isLatin1">Whether the server reads this header byte by byte.</param>
    public static byte[] GetBytes(string text, bool isLatin1) => isLatin1 ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);

    /// <summary>Percent-encoded UTF-8; what is no valid escape stands for itself, and what is no UTF-8 is ISO-8859-1.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        byte[] plain = new byte[bytes.Length];
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '%' && i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]))
            {
                plain[length++] = byte.Parse(bytes.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }
            else
            {
                plain[length++] = bytes[i];
            }
        }

        try
        {
            return StrictUtf8.GetString(plain, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(plain, 0, length);
        }
    }

    /// <summary>
    /// The name inside an id of the usual form <c>name-size-time</c>, where the time may be a number or a text with hyphens of its own.
    /// An id of another form is a name itself.
    /// </summary>
    public static string ExtractFileName(ReadOnlySpan<byte> fileId, long? fileSize)
    {
        string id = Decode(fileId);
        if (fileSize is { } size)
        {
            int at = id.LastIndexOf(string.Create(CultureInfo.InvariantCulture, $"-{size}-"), StringComparison.Ordinal);
            if (at > 0)
            {
                return id[..at];
            }
        }

        string? last = null;
        foreach (ValueMatch match in NumberSegmentRegex().EnumerateMatches(id))
        {
            last = id[..match.Index];
            if (FileExtensionRegex().IsMatch(last))
            {
                return last;
            }
        }

        return string.IsNullOrEmpty(last) ? id : last;
    }

    [GeneratedRegex("-[0-9]+(?=-)", RegexOptions.CultureInvariant)]
    private static partial Regex NumberSegmentRegex();

    [GeneratedRegex(@"[^.]\.[A-Za-z0-9]{1,10}$", RegexOptions.CultureInvariant)]
    private static partial Regex FileExtensionRegex();
}
