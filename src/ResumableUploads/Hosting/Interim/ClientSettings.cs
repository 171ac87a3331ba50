using System.Buffers.Binary;

namespace ResumableUploads;

/// <summary>
/// Follows what a client sends on one connection, for the one setting of HTTP/2 that matters here. A client that makes its header table smaller
/// wants the next header block to begin with the new size (RFC 9113, 4.3.1). Only the server's encoder knows that size, so such a client gets
/// no interim responses: a wrong one would be an error of the whole connection.
/// </summary>
internal sealed class ClientSettings
{
    private const int HeadSize = 9;
    private const int EntrySize = 6;
    private const byte Settings = 0x4;
    private const ushort HeaderTableSize = 0x1;

    private readonly byte[] _part = new byte[HeadSize];
    private int _partLength;
    private int _prefaceLength;
    private int _payloadLeft;
    private bool _isSettings;
    private uint _tableSize = 4096;
    private volatile bool _hasShrunkTable;

    /// <summary>Whether it is known that the client does not speak HTTP/2. Then there is nothing to follow.</summary>
    public bool IsOther { get; private set; }

    /// <summary>Whether the client has ever made its header table smaller.</summary>
    public bool HasShrunkTable => _hasShrunkTable;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Takes the next bytes, wherever they begin and end.</summary>
    public void Follow(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !IsOther)
        {
            bytes = bytes[(_prefaceLength < Preface.Length ? TakePreface(bytes) : _payloadLeft > 0 ? TakePayload(bytes) : TakeHead(bytes))..];
        }
    }

    private int TakePreface(ReadOnlySpan<byte> bytes)
    {
        int taken = Math.Min(Preface.Length - _prefaceLength, bytes.Length);
        IsOther = !bytes[..taken].SequenceEqual(Preface.Slice(_prefaceLength, taken));
        _prefaceLength += taken;
        return taken;
    }

    private int TakeHead(ReadOnlySpan<byte> bytes)
    {
        int taken = TakePart(bytes, HeadSize);
        if (_partLength == HeadSize)
        {
            _payloadLeft = (int)(BinaryPrimitives.ReadUInt32BigEndian(_part) >> 8);
            _isSettings = _part[3] == Settings;
            _partLength = 0;
        }

        return taken;
    }

    private int TakePayload(ReadOnlySpan<byte> bytes)
    {
        int taken = _isSettings ? TakePart(bytes, Math.Min(EntrySize, _partLength + _payloadLeft)) : Math.Min(_payloadLeft, bytes.Length);
        _payloadLeft -= taken;
        if (_partLength == EntrySize)
        {
            TakeEntry(BinaryPrimitives.ReadUInt16BigEndian(_part), BinaryPrimitives.ReadUInt32BigEndian(_part.AsSpan(2)));
        }

        if (_partLength == EntrySize || _payloadLeft == 0)
        {
            _partLength = 0;
        }

        return taken;
    }

    private void TakeEntry(ushort identifier, uint value)
    {
        if (identifier == HeaderTableSize)
        {
            _hasShrunkTable |= value < _tableSize;
            _tableSize = value;
        }
    }

    private int TakePart(ReadOnlySpan<byte> bytes, int wanted)
    {
        int taken = Math.Min(wanted - _partLength, bytes.Length);
        bytes[..taken].CopyTo(_part.AsSpan(_partLength));
        _partLength += taken;
        return taken;
    }
}
