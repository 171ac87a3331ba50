using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Follows the frames that a server sends on one HTTP/2 connection, so that it is known where a frame may be put between them and which
/// streams still wait for their final answer.
/// </summary>
internal sealed class OutgoingFrameTracker
{
    private const int FrameHeaderSize = 9;
    private const int HeaderBlockPeekSize = 3;
    private const byte HeadersFrameType = 0x1;
    private const byte ResetStreamFrameType = 0x3;
    private const byte ContinuationFrameType = 0x9;
    private const byte EndHeadersFlag = 0x4;

    /// <summary>END_STREAM, PADDED and PRIORITY: no interim response of a server has any of them.</summary>
    private const byte FinalResponseFlags = 0x1 | 0x8 | 0x20;

    private readonly ConcurrentDictionary<int, bool> _openStreams = new();
    private readonly byte[] _header = new byte[FrameHeaderSize + HeaderBlockPeekSize];
    private int _headerLength;
    private int _payloadRemaining;
    private bool _isInHeaderBlock;

    /// <summary>Whether a frame may follow what was sent so far: no frame is cut, and no header block goes on in the next one.</summary>
    public bool IsAtFrameBoundary => _headerLength == 0 && _payloadRemaining == 0 && !_isInHeaderBlock;

    /// <summary>How many streams are watched.</summary>
    public int OpenStreamCount => _openStreams.Count;

    /// <summary>Watches a stream whose answer has not begun.</summary>
    public void OpenStream(int streamId) => _openStreams[streamId] = true;

    /// <summary>Watches it no longer, which is as if its answer had begun.</summary>
    public void CloseStream(int streamId) => _openStreams.TryRemove(streamId, out _);

    /// <summary>Whether a stream is watched and neither its final header block nor its reset was among the bytes so far.</summary>
    public bool IsOpen(int streamId) => _openStreams.ContainsKey(streamId);

    /// <summary>Takes the next bytes, wherever they begin and end.</summary>
    public void Process(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_payloadRemaining > 0)
            {
                int skipped = Math.Min(_payloadRemaining, bytes.Length);
                _payloadRemaining -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            int taken = Math.Min(GetRequiredHeaderLength() - _headerLength, bytes.Length);
            bytes[..taken].CopyTo(_header.AsSpan(_headerLength));
            _headerLength += taken;
            bytes = bytes[taken..];
            if (_headerLength == GetRequiredHeaderLength())
            {
                ProcessHeader();
                _payloadRemaining = GetPayloadLength() - (_headerLength - FrameHeaderSize);
                _headerLength = 0;
            }
        }
    }

    private int GetPayloadLength() => (int)(BinaryPrimitives.ReadUInt32BigEndian(_header) >> 8);

    private int GetRequiredHeaderLength() =>
        _headerLength >= FrameHeaderSize && _header[3] == HeadersFrameType ? FrameHeaderSize + Math.Min(HeaderBlockPeekSize, GetPayloadLength()) : FrameHeaderSize;

    private void ProcessHeader()
    {
        byte flags = _header[4];
        int streamId = BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(5)) & int.MaxValue;
        switch (_header[3])
        {
            case HeadersFrameType:
                _isInHeaderBlock = (flags & EndHeadersFlag) == 0;
                if (!IsInterimResponse(flags))
                {
                    CloseStream(streamId);
                }

                break;
            case ContinuationFrameType:
                _isInHeaderBlock = (flags & EndHeadersFlag) == 0;
                break;
            case ResetStreamFrameType:
                CloseStream(streamId);
                break;
        }
    }

    /// <summary>
    /// Whether a header block is an interim response: it begins with a literal status of 1xx, as the server's own 100 does. Nothing else can
    /// begin like this, and an interim response in any other form counts as a final one: then a client misses 104s, and nothing worse.
    /// </summary>
    private bool IsInterimResponse(byte flags) =>
        (flags & FinalResponseFlags) == 0 && _header.AsSpan(FrameHeaderSize, _headerLength - FrameHeaderSize).SequenceEqual((ReadOnlySpan<byte>)[HpackLiteralEncoder.IndexedStatusName, 3, (byte)'1']);
}
