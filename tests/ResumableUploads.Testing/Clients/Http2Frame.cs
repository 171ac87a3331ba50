using System.Text;

namespace ResumableUploads.Testing.Clients;

/// <summary>An HTTP/2 frame.</summary>
internal sealed record Http2Frame(byte Type, byte Flags, int StreamId, byte[] Payload)
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte Acknowledges = 1;
    public const byte EndHeaders = 4;

    public bool EndsStream => Type == ResetStream || (Type is Data or Headers && (Flags & EndStream) != 0);

    /// <summary>Gets the status code, which must be the first field of the header block. Kestrel and this package both write it first.</summary>
    public string Status => Payload switch
    {
        [0x08, 3, var a, var b, var c, ..] => Encoding.ASCII.GetString([a, b, c]),
        [0x88, ..] => "200",
        [>= 0x20 and < 0x40, 0x88, ..] => "200",
        _ => $"headers {Convert.ToHexString(Payload)}",
    };

    public override string ToString() => Type switch
    {
        Headers => Status,
        ResetStream => "reset",
        _ => $"frame {Type}",
    };

    /// <summary>Returns the headers of a block that consists of literals without indexing, including <c>:status</c>.</summary>
    public List<(string Name, string Value)> Literals()
    {
        var headers = new List<(string, string)>();
        for (int at = 0; at < Payload.Length;)
        {
            byte first = Payload[at++];
            Assert.True(first is 0x00 or 0x08, $"{first:x2} does not start a literal without indexing.");
            string name = first == 0x08 ? ":status" : Text(ref at);
            headers.Add((name, Text(ref at)));
        }

        return headers;
    }

    private string Text(ref int at)
    {
        int length = Payload[at++];
        Assert.True(length < 0x80, "The text is Huffman-encoded.");
        if (length == 0x7F)
        {
            for (int shift = 0; ; shift += 7)
            {
                byte next = Payload[at++];
                length += (next & 0x7F) << shift;
                if (next < 0x80)
                {
                    break;
                }
            }
        }

        at += length;
        return Encoding.ASCII.GetString(Payload, at - length, length);
    }
}
