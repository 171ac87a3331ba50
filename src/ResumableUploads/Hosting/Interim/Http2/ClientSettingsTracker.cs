using System.Buffers.Binary;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Follows what a client sends on one connection, for the one setting of HTTP/2 that matters here. A client that makes its header table smaller
/// wants the next header block to begin with the new size (RFC 9113, 4.3.1). Only the server's encoder knows that size, so such a client gets
/// no interim responses: a wrong one would be an error of the whole connection.
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

    /// <summary>Whether it is known that the client does not speak HTTP/2. Then there is nothing to follow.</summary>
    public bool IsNotHttp2 { get; private set; }

    /// <summary>Whether the client has ever made its header table smaller.</summary>
    public bool HasReducedHeaderTable => _hasReducedHeaderTable;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Takes the next bytes, wherever they begin and end.</summary>
    public void Process(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !IsNotHttp2)
        {
            bytes = bytes[(_prefaceLength < Preface.Length ? ReadPreface(bytes) : _payloadRemaining > 0 ? ReadPayload(bytes) : ReadFrameHeader(bytes))..];
        }
    }

    private int ReadPreface(ReadOnlySpan<byte> bytes)
    {
        int taken = Math.Min(Preface.Length - _prefaceLength, bytes.Length);
        IsNotHttp2 = !bytes[..taken].SequenceEqual(Preface.Slice(_prefaceLength, taken));
        _prefaceLength += taken;
        return taken;
    }

    private int ReadFrameHeader(ReadOnlySpan<byte> bytes)
    {
        int taken = FillBuffer(bytes, FrameHeaderSize);
        if (_bufferedLength == FrameHeaderSize)
        {
            _payloadRemaining = (int)(BinaryPrimitives.ReadUInt32BigEndian(_buffer) >> 8);
            _isSettingsFrame = _buffer[3] == SettingsFrameType;
            _bufferedLength = 0;
        }

        return taken;
    }

    private int ReadPayload(ReadOnlySpan<byte> bytes)
    {
        int taken = _isSettingsFrame ? FillBuffer(bytes, Math.Min(SettingSize, _bufferedLength + _payloadRemaining)) : Math.Min(_payloadRemaining, bytes.Length);
        _payloadRemaining -= taken;
        if (_bufferedLength == SettingSize)
        {
            ApplySetting(BinaryPrimitives.ReadUInt16BigEndian(_buffer), BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(2)));
        }

        if (_bufferedLength == SettingSize || _payloadRemaining == 0)
        {
            _bufferedLength = 0;
        }

        return taken;
    }

    private void ApplySetting(ushort identifier, uint value)
    {
        if (identifier == HeaderTableSizeId)
        {
            _hasReducedHeaderTable |= value < _headerTableSize;
            _headerTableSize = value;
        }
    }

    private int FillBuffer(ReadOnlySpan<byte> bytes, int wanted)
    {
        int taken = Math.Min(wanted - _bufferedLength, bytes.Length);
        bytes[..taken].CopyTo(_buffer.AsSpan(_bufferedLength));
        _bufferedLength += taken;
        return taken;
    }
}
