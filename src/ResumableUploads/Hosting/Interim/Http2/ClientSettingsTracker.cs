using System.Buffers.Binary;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Detects in the input of an HTTP/2 connection whether the client has reduced <c>SETTINGS_HEADER_TABLE_SIZE</c>. The next header block must then
/// start with the new table size (<see href="https://www.rfc-editor.org/rfc/rfc9113#section-4.3.1">RFC 9113, section 4.3.1</see>), which only
/// Kestrel's encoder knows. A header block without it is a connection error, so no interim responses are sent to such a client.
/// </summary>
internal sealed class ClientSettingsTracker
{
    private const int FrameHeaderSize = 9;
    private const int SettingSize = 6;
    private const byte SettingsFrameType = 0x4;
    private const ushort HeaderTableSizeId = 0x1;

    private readonly byte[] _buffer = new byte[FrameHeaderSize];
    private int _bufferedLength;
    private int _prefaceLength;
    private int _payloadRemaining;
    private bool _isSettingsFrame;
    private uint _headerTableSize = 4096;
    private volatile bool _hasReducedHeaderTable;

    /// <summary>Gets a value indicating whether the input does not start with the HTTP/2 preface. If so, no further input is inspected.</summary>
    public bool IsNotHttp2 { get; private set; }

    /// <summary>Gets a value indicating whether the client has ever reduced the size of its header table.</summary>
    public bool HasReducedHeaderTable => _hasReducedHeaderTable;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Processes the next bytes, which may start and end at any position in a frame.</summary>
    public void Process(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !IsNotHttp2)
        {
            bytes = bytes[(_prefaceLength < Preface.Length ? ReadPreface(bytes) : _payloadRemaining > 0 ? ReadPayload(bytes) : ReadFrameHeader(bytes))..];
        }
    }

    private int ReadPreface(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(Preface.Length - _prefaceLength, bytes.Length);
        IsNotHttp2 = !bytes[..count].SequenceEqual(Preface.Slice(_prefaceLength, count));
        _prefaceLength += count;
        return count;
    }

    private int ReadFrameHeader(ReadOnlySpan<byte> bytes)
    {
        int count = FillBuffer(bytes, FrameHeaderSize);
        if (_bufferedLength == FrameHeaderSize)
        {
            _payloadRemaining = (int)(BinaryPrimitives.ReadUInt32BigEndian(_buffer) >> 8);
            _isSettingsFrame = _buffer[3] == SettingsFrameType;
            _bufferedLength = 0;
        }

        return count;
    }

    private int ReadPayload(ReadOnlySpan<byte> bytes)
    {
        int count = _isSettingsFrame ? FillBuffer(bytes, Math.Min(SettingSize, _bufferedLength + _payloadRemaining)) : Math.Min(_payloadRemaining, bytes.Length);
        _payloadRemaining -= count;
        if (_bufferedLength == SettingSize)
        {
            ApplySetting(BinaryPrimitives.ReadUInt16BigEndian(_buffer), BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(2)));
        }

        if (_bufferedLength == SettingSize || _payloadRemaining == 0)
        {
            _bufferedLength = 0;
        }

        return count;
    }

    private void ApplySetting(ushort identifier, uint value)
    {
        if (identifier == HeaderTableSizeId)
        {
            _hasReducedHeaderTable |= value < _headerTableSize;
            _headerTableSize = value;
        }
    }

    private int FillBuffer(ReadOnlySpan<byte> bytes, int required)
    {
        int count = Math.Min(required - _bufferedLength, bytes.Length);
        bytes[..count].CopyTo(_buffer.AsSpan(_bufferedLength));
        _bufferedLength += count;
        return count;
    }
}
