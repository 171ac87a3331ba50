using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ResumableUploads.Hosting.Interim.Http2;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// An interim response <c>104 (Upload Resumption Supported)</c>, serialized for HTTP/1.1 or HTTP/2. See
/// <see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-5">draft-ietf-httpbis-resumable-upload-12, section 5</see>.
/// </summary>
internal sealed class InterimResponse
{
    /// <summary>
    /// The maximum size of the header block, in bytes: the frame size that every HTTP/2 client accepts
    /// (<see href="https://www.rfc-editor.org/rfc/rfc9113#section-4.2">RFC 9113, section 4.2</see>).
    /// </summary>
    public const int MaxHeaderBlockSize = 16_384;

    private const int FrameHeaderSize = 9;
    private const byte HeadersFrameType = 0x1;
    private const byte EndHeadersFlag = 0x4;

    /// <summary>The characters of a token (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2">RFC 9110, section 5.6.2</see>).</summary>
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly (string Name, string Value)[] _headers;
    private readonly byte[] _headerBlock;

    private InterimResponse((string Name, string Value)[] headers, byte[] headerBlock)
    {
        _headers = headers;
        _headerBlock = headerBlock;
    }

    /// <summary>
    /// Creates a response. Returns null if it cannot be sent in both HTTP versions: a name is not a token, a value has characters other than
    /// visible ASCII and inner spaces, or the header block is larger than <see cref="MaxHeaderBlockSize"/>.
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

    /// <summary>Returns the complete HTTP/1.1 message.</summary>
    public byte[] ToHttp1Bytes()
    {
        var head = new StringBuilder("HTTP/1.1 104 Upload Resumption Supported\r\n");
        foreach ((string name, string value) in _headers)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>Returns an HTTP/2 HEADERS frame with END_HEADERS and without END_STREAM.</summary>
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
