using System.Buffers;
using System.Text;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Encodes headers as HPACK literals without indexing and without Huffman coding
/// (<see href="https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2">RFC 7541, section 6.2.2</see>). They do not depend on the dynamic table and do
/// not change it, so they can be inserted between the header blocks of Kestrel's encoder.
/// </summary>
internal static class HpackLiteralEncoder
{
    /// <summary>A literal without indexing whose name is entry 8 of the static table, <c>:status</c>.</summary>
    public const byte IndexedStatusName = 0x08;

    private const byte LiteralName = 0x00;
    private const int MaxPrefixValue = 0x7F;

    public static void WriteStatus(IBufferWriter<byte> block, string status)
    {
        block.Write([IndexedStatusName]);
        WriteString(block, status);
    }

    /// <summary>Writes a header that consists of ASCII characters. The name is converted to lower case.</summary>
    public static void WriteHeader(IBufferWriter<byte> block, string name, string value)
    {
        block.Write([LiteralName]);
        WriteLength(block, name.Length);
        Ascii.ToLower(name, block.GetSpan(name.Length), out int written);
        block.Advance(written);
        WriteString(block, value);
    }

    /// <summary>
    /// Writes the length of a string as an integer with a prefix of seven bits
    /// (<see href="https://www.rfc-editor.org/rfc/rfc7541#section-5.1">RFC 7541, section 5.1</see>).
    /// </summary>
    public static void WriteLength(IBufferWriter<byte> block, int length)
    {
        if (length < MaxPrefixValue)
        {
            block.Write([(byte)length]);
            return;
        }

        block.Write([(byte)MaxPrefixValue]);
        int remaining = length - MaxPrefixValue;
        for (; remaining >= 0x80; remaining >>= 7)
        {
            block.Write([(byte)((remaining & 0x7F) | 0x80)]);
        }

        block.Write([(byte)remaining]);
    }

    private static void WriteString(IBufferWriter<byte> block, string text)
    {
        WriteLength(block, text.Length);
        Encoding.ASCII.GetBytes(text, block);
    }
}
