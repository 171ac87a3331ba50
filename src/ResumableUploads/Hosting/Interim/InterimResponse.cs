using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ResumableUploads.Hosting.Interim.Http2;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// An interim response <c>104 (Upload Resumption Supported)</c> with its headers, as the bytes of each version of HTTP. One that exists can
/// be sent.
/// </summary>
internal sealed class InterimResponse
{
    /// <summary>The longest header block in bytes: what every client of HTTP/2 takes in one frame (RFC 9113, 4.2).</summary>
    public const int MaxHeaderBlockSize = 16_384;

    private const int FrameHeaderSize = 9;
    private const byte HeadersFrameType = 0x1;
    private const byte EndHeadersFlag = 0x4;

    /// <summary>What the name of a header is made of (RFC 9110, 5.6.2).</summary>
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly (string Name, string Value)[] _headers;
    private readonly byte[] _headerBlock;

    private InterimResponse((string Name, string Value)[] headers, byte[] block)
    {
        _headers = headers;
        _headerBlock = block;
    }

    /// <summary>
    /// Makes one, or null where it cannot be sent: a name is no token, a value holds more than visible ASCII with spaces inside, or all of
    /// it is longer than <see cref="MaxHeaderBlockSize"/>. Both versions of HTTP send the same ones.
    /// </summary>
    public static InterimResponse? TryCreate(params (string Name, string Value)[] headers)
    {
        var block = new ArrayBufferWriter<byte>();
        HpackLiteralEncoder.WriteStatus(block, "104");
        foreach ((string name, string value) in headers)
        {
            if (!IsValidName(name) || !IsValidValue(value))
            {
                return null;
            }

            HpackLiteralEncoder.WriteHeader(block, name, value);
        }

        return block.WrittenCount > MaxHeaderBlockSize ? null : new InterimResponse(headers, block.WrittenSpan.ToArray());
    }

    /// <summary>A whole interim response of HTTP/1.1.</summary>
    public byte[] ToHttp1Bytes()
    {
        var head = new StringBuilder("HTTP/1.1 104 Upload Resumption Supported\r\n");
        foreach ((string name, string value) in _headers)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>One HEADERS frame of HTTP/2 that ends its header block and not its stream.</summary>
    public byte[] ToHttp2Frame(int streamId)
    {
        byte[] frame = new byte[FrameHeaderSize + _headerBlock.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)_headerBlock.Length << 8) | HeadersFrameType);
        frame[4] = EndHeadersFlag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        _headerBlock.CopyTo(frame, FrameHeaderSize);
        return frame;
    }

    private static bool IsValidName(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    private static bool IsValidValue(string value) =>
        !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && !value.StartsWith(' ') && !value.EndsWith(' ');
}
