using System.Buffers;
using System.Text;

namespace ResumableUploads;

/// <summary>
/// Headers in the one form of HPACK that leaves the tables of both sides as they are: "literal without indexing", without Huffman coding
/// (RFC 7541, 6.2.2). So a block can be sent between those of the server, whose own table nobody else knows.
/// </summary>
internal static class HpackLiteral
{
    /// <summary>A literal whose name is entry 8 of the static table: <c>:status</c>.</summary>
    public const byte StatusName = 0x08;

    private const byte NewName = 0x00;
    private const int LengthPrefix = 0x7F;

    public static void WriteStatus(IBufferWriter<byte> block, string status)
    {
        block.Write([StatusName]);
        WriteText(block, status);
    }

    /// <summary>Writes a header of ASCII alone; its name in lower case.</summary>
    public static void Write(IBufferWriter<byte> block, string name, string value)
    {
        block.Write([NewName]);
        WriteLength(block, name.Length);
        Ascii.ToLower(name, block.GetSpan(name.Length), out int written);
        block.Advance(written);
        WriteText(block, value);
    }

    /// <summary>Writes a length before a text: an integer with a prefix of seven bits (RFC 7541, 5.1).</summary>
    public static void WriteLength(IBufferWriter<byte> block, int length)
    {
        if (length < LengthPrefix)
        {
            block.Write([(byte)length]);
            return;
        }

        block.Write([(byte)LengthPrefix]);
        int rest = length - LengthPrefix;
        for (; rest >= 0x80; rest >>= 7)
        {
            block.Write([(byte)((rest & 0x7F) | 0x80)]);
        }

        block.Write([(byte)rest]);
    }

    private static void WriteText(IBufferWriter<byte> block, string text)
    {
        WriteLength(block, text.Length);
        Encoding.ASCII.GetBytes(text, block);
    }
}
