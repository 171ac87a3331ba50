using System.Buffers;
using System.Text;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Headers in the one form of HPACK that leaves the tables of both sides as they are: "literal without indexing", without Huffman coding
/// (RFC 7541, 6.2.2). So a block can be sent between those of the server, whose own table nobody else knows.
/// </summary>
internal static class HpackLiteralEncoder
{
    /// <summary>A literal whose name is entry 8 of the static table: <c>:status</c>.</summary>
    public const byte IndexedStatusName = 0x08;

    private const byte LiteralName = 0x00;
    private const int MaxPrefixValue = 0x7F;

    public static void WriteStatus(IBufferWriter<byte> block, string status)
    {
        block.Write([IndexedStatusName]);
        WriteString(block, status);
    }

    /// <summary>Writes a header of ASCII alone; its name in lower case.</summary>
    public static void WriteHeader(IBufferWriter<byte> block, string name, string value)
    {
        block.Write([LiteralName]);
        WriteLength(block, name.Length);
        Ascii.ToLower(name, block.GetSpan(name.Length), out int written);
        block.Advance(written);
        WriteString(block, value);
    }

    /// <summary>Writes a length before a text: an integer with a prefix of seven bits (RFC 7541, 5.1).</summary>
    public static void WriteLength(IBufferWriter<byte> block, int length)
    {
        if (length < MaxPrefixValue)
        {
            block.Write([(byte)length]);
            return;
        }

        block.Write([(byte)MaxPrefixValue]);
        int rest = length - MaxPrefixValue;
        for (; rest >= 0x80; rest >>= 7)
        {
            block.Write([(byte)((rest & 0x7F) | 0x80)]);
        }

        block.Write([(byte)rest]);
    }

    private static void WriteString(IBufferWriter<byte> block, string text)
    {
        WriteLength(block, text.Length);
        Encoding.ASCII.GetBytes(text, block);
    }
}
