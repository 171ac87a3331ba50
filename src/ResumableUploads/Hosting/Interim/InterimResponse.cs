using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ResumableUploads;

/// <summary>
/// An interim response <c>104 (Upload Resumption Supported)</c> with its headers, as the bytes of each version of HTTP. One that exists can
/// be sent.
/// </summary>
internal sealed class InterimResponse
{
    /// <summary>The longest header block in bytes: what every client of HTTP/2 takes in one frame (RFC 9113, 4.2).</summary>
    public const int MaxBlockSize = 16_384;

    private const int FrameHeadSize = 9;
    private const byte HeadersFrame = 0x1;
    private const byte EndHeaders = 0x4;

    /// <summary>What the name of a header is made of (RFC 9110, 5.6.2).</summary>
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly (string Name, string Value)[] _headers;
    private readonly byte[] _block;

    private InterimResponse((string Name, string Value)[] headers, byte[] block)
    {
        _headers = headers;
        _block = block;
    }

    /// <summary>
    /// Makes one, or null where it cannot be sent: a name is no token, a value holds more than visible ASCII with spaces inside, or all of
    /// it is longer than <see cref="MaxBlockSize"/>. Both versions of HTTP send the same ones.
    /// </summary>
    public static InterimResponse? TryCreate(params (string Name, string Value)[] headers)
    {
        var block = new ArrayBufferWriter<byte>();
        HpackLiteral.WriteStatus(block, "104");
        foreach ((string name, string value) in headers)
        {
            if (!IsName(name) || !IsValue(value))
            {
                return null;
            }

            HpackLiteral.Write(block, name, value);
        }

        return block.WrittenCount > MaxBlockSize ? null : new InterimResponse(headers, block.WrittenSpan.ToArray());
    }

    /// <summary>A whole interim response of HTTP/1.1.</summary>
    public byte[] ToHttp1()
    {
        var head = new StringBuilder("HTTP/1.1 104 Upload Resumption Supported\r\n");
        foreach ((string name, string value) in _headers)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>One HEADERS frame of HTTP/2 that ends its header block and not its stream.</summary>
    public byte[] ToHttp2(int streamId)
    {
        byte[] frame = new byte[FrameHeadSize + _block.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)_block.Length << 8) | HeadersFrame);
        frame[4] = EndHeaders;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        _block.CopyTo(frame, FrameHeadSize);
        return frame;
    }

    private static bool IsName(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    private static bool IsValue(string value) =>
        !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && !value.StartsWith(' ') && !value.EndsWith(' ');
}
