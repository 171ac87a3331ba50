using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ResumableUploads;

/// <summary>A 104 (Upload Resumption Supported) as it goes over the wire. Pure.</summary>
internal sealed class InterimResponse
{
    private const int FrameHeaderLength = 9;
    private const int MaxFramePayload = 16 * 1024;
    private const byte HeadersFrame = 1;
    private const byte EndHeaders = 4;

    /// <summary>A literal header field without indexing whose name is number 8 of the static table, <c>:status</c> (RFC 7541, 6.2.2, appendix A).</summary>
    private const byte Status = 0x08;

    private static readonly SearchValues<char> ValueCharacters = SearchValues.Create(Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c).ToArray());

    private readonly KeyValuePair<string, string>[] _headers;

    private InterimResponse(KeyValuePair<string, string>[] headers) => _headers = headers;

    /// <summary>Makes one, or says null where a value is none that a header can have: nothing from outside ends a line.</summary>
    public static InterimResponse? TryCreate(IEnumerable<KeyValuePair<string, string>> headers)
    {
        KeyValuePair<string, string>[] all = [.. headers];
        return Array.Exists(all, static header => header.Value.AsSpan().ContainsAnyExcept(ValueCharacters)) ? null : new InterimResponse(all);
    }

    public byte[] ToHttp1()
    {
        var text = new StringBuilder("HTTP/1.1 104 Upload Resumption Supported\r\n");
        foreach ((string name, string value) in _headers)
        {
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }

    /// <summary>
    /// One HEADERS frame, of literals alone: what the two ends have agreed on in their tables is neither used nor changed. Null where it would be longer
    /// than every client takes.
    /// </summary>
    public byte[]? ToHttp2(int streamId)
    {
        var payload = new ArrayBufferWriter<byte>(256);
        Write(payload, Status);
        WriteText(payload, "104");
        foreach ((string name, string value) in _headers)
        {
            Write(payload, 0);
            WriteText(payload, name.ToLowerInvariant());
            WriteText(payload, value);
        }

        if (payload.WrittenCount > MaxFramePayload)
        {
            return null;
        }

        byte[] frame = new byte[FrameHeaderLength + payload.WrittenCount];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.WrittenCount << 8);
        frame[3] = HeadersFrame;
        frame[4] = EndHeaders;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.WrittenSpan.CopyTo(frame.AsSpan(FrameHeaderLength));
        return frame;
    }

    /// <summary>A string literal without Huffman coding (RFC 7541, 5.1, 5.2).</summary>
    private static void WriteText(ArrayBufferWriter<byte> payload, string text)
    {
        const int prefix = 127;
        if (text.Length < prefix)
        {
            Write(payload, text.Length);
        }
        else
        {
            Write(payload, prefix);
            int rest = text.Length - prefix;
            for (; rest >= 128; rest >>= 7)
            {
                Write(payload, rest | 128);
            }

            Write(payload, rest);
        }

        Encoding.ASCII.GetBytes(text, payload);
    }

    private static void Write(ArrayBufferWriter<byte> payload, int value)
    {
        payload.GetSpan(1)[0] = (byte)value;
        payload.Advance(1);
    }
}
