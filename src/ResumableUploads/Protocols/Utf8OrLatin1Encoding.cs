using System.Text;
using System.Text.Unicode;

namespace ResumableUploads.Protocols;

/// <summary>Decodes bytes as UTF-8 if they are valid UTF-8, and as ISO-8859-1 otherwise.</summary>
internal sealed class Utf8OrLatin1Encoding : Encoding
{
    public static readonly Utf8OrLatin1Encoding Instance = new();

    private Utf8OrLatin1Encoding()
    {
    }

    public override int GetByteCount(char[] chars, int index, int count) => UTF8.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => UTF8.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetCharCount(byte[] bytes, int index, int count) => Select(bytes.AsSpan(index, count)).GetCharCount(bytes, index, count);

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
        Select(bytes.AsSpan(byteIndex, byteCount)).GetChars(bytes, byteIndex, byteCount, chars, charIndex);

    public override int GetMaxByteCount(int charCount) => UTF8.GetMaxByteCount(charCount);

    public override int GetMaxCharCount(int byteCount) => UTF8.GetMaxCharCount(byteCount);

    /// <summary>Decodes bytes without copying them to an array.</summary>
    public static string GetText(ReadOnlySpan<byte> bytes) => Select(bytes).GetString(bytes);

    private static Encoding Select(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? UTF8 : Latin1;
}
