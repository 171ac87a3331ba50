using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace ResumableUploads;

/// <summary>
/// Follows the frames that a server sends on one HTTP/2 connection, so that it is known where a frame may be put between them and which
/// streams still wait for their final answer.
/// </summary>
internal sealed class OutgoingFrames
{
    private const int HeadSize = 9;
    private const int PeekSize = 3;
    private const byte Headers = 0x1;
    private const byte ResetStream = 0x3;
    private const byte Continuation = 0x9;
    private const byte EndHeaders = 0x4;

    /// <summary>END_STREAM, PADDED and PRIORITY: no interim response of a server has any of them.</summary>
    private const byte NeverInterim = 0x1 | 0x8 | 0x20;

    private readonly ConcurrentDictionary<int, bool> _waiting = new();
    private readonly byte[] _head = new byte[HeadSize + PeekSize];
    private int _headLength;
    private int _payloadLeft;
    private bool _isInBlock;

    /// <summary>Whether a frame may follow what was sent so far: no frame is cut, and no header block goes on in the next one.</summary>
    public bool MayBeInterrupted => _headLength == 0 && _payloadLeft == 0 && !_isInBlock;

    /// <summary>How many streams are watched.</summary>
    public int Watched => _waiting.Count;

    /// <summary>Watches a stream whose answer has not begun.</summary>
    public void Watch(int streamId) => _waiting[streamId] = true;

    /// <summary>Watches it no longer, which is as if its answer had begun.</summary>
    public void Forget(int streamId) => _waiting.TryRemove(streamId, out _);

    /// <summary>Whether a stream is watched and neither its final header block nor its reset was among the bytes so far.</summary>
    public bool IsWaiting(int streamId) => _waiting.ContainsKey(streamId);

    /// <summary>Takes the next bytes, wherever they begin and end.</summary>
    public void Follow(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_payloadLeft > 0)
            {
                int skipped = Math.Min(_payloadLeft, bytes.Length);
                _payloadLeft -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            int taken = Math.Min(HeadLengthWanted() - _headLength, bytes.Length);
            bytes[..taken].CopyTo(_head.AsSpan(_headLength));
            _headLength += taken;
            bytes = bytes[taken..];
            if (_headLength == HeadLengthWanted())
            {
                Take();
                _payloadLeft = PayloadLength() - (_headLength - HeadSize);
                _headLength = 0;
            }
        }
    }

    private int PayloadLength() => (int)(BinaryPrimitives.ReadUInt32BigEndian(_head) >> 8);

    private int HeadLengthWanted() =>
        _headLength >= HeadSize && _head[3] == Headers ? HeadSize + Math.Min(PeekSize, PayloadLength()) : HeadSize;

    private void Take()
    {
        byte flags = _head[4];
        int streamId = BinaryPrimitives.ReadInt32BigEndian(_head.AsSpan(5)) & int.MaxValue;
        switch (_head[3])
        {
            case Headers:
                _isInBlock = (flags & EndHeaders) == 0;
                if (!IsInterim(flags))
                {
                    Forget(streamId);
                }

                break;
            case Continuation:
                _isInBlock = (flags & EndHeaders) == 0;
                break;
            case ResetStream:
                Forget(streamId);
                break;
        }
    }

    /// <summary>
    /// Whether a header block is an interim response: it begins with a literal status of 1xx, as the server's own 100 does. Nothing else can
    /// begin like this, and an interim response in any other form counts as a final one: then a client misses 104s, and nothing worse.
    /// </summary>
    private bool IsInterim(byte flags) =>
        (flags & NeverInterim) == 0 && _head.AsSpan(HeadSize, _headLength - HeadSize).SequenceEqual((ReadOnlySpan<byte>)[HpackLiteral.StatusName, 3, (byte)'1']);
}
