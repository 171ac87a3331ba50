using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace ResumableUploads;

/// <summary>Follows the frames that a server sends on HTTP/2, as far as it takes to know where one ends and which streams have their answer.</summary>
internal sealed class Http2Frames
{
    private const int HeaderLength = 9;
    private const byte Headers = 1;
    private const byte Reset = 3;

    private readonly byte[] _header = new byte[HeaderLength];
    private int _headerBytes;
    private int _payloadLeft;

    /// <summary>Whether the last frame has ended and the next has not begun.</summary>
    public bool IsBetween => _headerBytes == 0 && _payloadLeft == 0;

    /// <summary>
    /// Follows some bytes. Streams on which headers or a reset have passed are open no more. That the headers may be those of "100 Continue" makes
    /// no difference: such a client hears nothing more before its answer.
    /// </summary>
    public void Follow(ReadOnlySpan<byte> bytes, ConcurrentDictionary<int, bool> open)
    {
        while (!bytes.IsEmpty)
        {
            if (_payloadLeft > 0)
            {
                int passed = Math.Min(_payloadLeft, bytes.Length);
                _payloadLeft -= passed;
                bytes = bytes[passed..];
                continue;
            }

            int taken = Math.Min(HeaderLength - _headerBytes, bytes.Length);
            bytes[..taken].CopyTo(_header.AsSpan(_headerBytes));
            bytes = bytes[taken..];
            _headerBytes += taken;
            if (_headerBytes == HeaderLength)
            {
                _headerBytes = 0;
                _payloadLeft = BinaryPrimitives.ReadInt32BigEndian(_header) >>> 8;
                if (_header[3] is Headers or Reset)
                {
                    open.TryRemove(BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(5)) & int.MaxValue, out _);
                }
            }
        }
    }
}
