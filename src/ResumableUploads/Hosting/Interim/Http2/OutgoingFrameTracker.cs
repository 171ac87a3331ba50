using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Parses the frames that the server sends on an HTTP/2 connection to determine where a frame can be inserted and on which streams the final response
/// has not started.
/// </summary>
internal sealed class OutgoingFrameTracker
{
    private const int FrameHeaderSize = 9;

    /// <summary>The number of bytes of a header block that are read to recognize a 1xx status.</summary>
    private const int HeaderBlockPeekSize = 3;

    private const byte HeadersFrameType = 0x1;
    private const byte RstStreamFrameType = 0x3;
    private const byte ContinuationFrameType = 0x9;
    private const byte EndHeadersFlag = 0x4;

    /// <summary>END_STREAM, PADDED and PRIORITY. Kestrel sets none of them on an interim response.</summary>
    private const byte NonInterimFlags = 0x1 | 0x8 | 0x20;

    private readonly ConcurrentDictionary<int, bool> _streamsAwaitingResponse = new();
    private readonly byte[] _frameStart = new byte[FrameHeaderSize + HeaderBlockPeekSize];
    private int _frameStartLength;
    private int _payloadRemaining;
    private bool _isInHeaderBlock;

    /// <summary>
    /// Gets a value indicating whether a frame can be inserted: the last frame is complete and does not require a CONTINUATION frame.
    /// </summary>
    public bool IsAtFrameBoundary => _frameStartLength == 0 && _payloadRemaining == 0 && !_isInHeaderBlock;

    /// <summary>Gets the number of tracked streams.</summary>
    public int OpenStreamCount => _streamsAwaitingResponse.Count;

    /// <summary>Starts tracking a stream whose final response has not started.</summary>
    public void OpenStream(int streamId) => _streamsAwaitingResponse[streamId] = true;

    /// <summary>Stops tracking a stream, so that no more interim responses are sent on it.</summary>
    public void CloseStream(int streamId) => _streamsAwaitingResponse.TryRemove(streamId, out _);

    /// <summary>Returns whether a stream is tracked: its final response has not started, and it has not been reset.</summary>
    public bool IsOpen(int streamId) => _streamsAwaitingResponse.ContainsKey(streamId);

    /// <summary>Processes the next bytes, which may start and end at any position in a frame.</summary>
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

            int count = Math.Min(GetRequiredFrameStartLength() - _frameStartLength, bytes.Length);
            bytes[..count].CopyTo(_frameStart.AsSpan(_frameStartLength));
            _frameStartLength += count;
            bytes = bytes[count..];
            if (_frameStartLength == GetRequiredFrameStartLength())
            {
                ProcessFrameStart();
                _payloadRemaining = GetPayloadLength() - (_frameStartLength - FrameHeaderSize);
                _frameStartLength = 0;
            }
        }
    }

    private int GetPayloadLength() => (int)(BinaryPrimitives.ReadUInt32BigEndian(_frameStart) >> 8);

    private int GetRequiredFrameStartLength() =>
        _frameStartLength >= FrameHeaderSize && _frameStart[3] == HeadersFrameType ? FrameHeaderSize + Math.Min(HeaderBlockPeekSize, GetPayloadLength()) : FrameHeaderSize;

    private void ProcessFrameStart()
    {
        byte flags = _frameStart[4];
        int streamId = BinaryPrimitives.ReadInt32BigEndian(_frameStart.AsSpan(5)) & int.MaxValue;
        switch (_frameStart[3])
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
            case RstStreamFrameType:
                CloseStream(streamId);
                break;
        }
    }

    /// <summary>
    /// Returns whether a header block is an interim response: it starts with a <c>:status</c> field that is a literal without Huffman coding and begins
    /// with 1, as in the <c>100 Continue</c> of Kestrel. An interim response in another encoding is treated as final; the only effect is that no further
    /// interim responses are sent on the stream.
    /// </summary>
    private bool IsInterimResponse(byte flags) =>
        (flags & NonInterimFlags) == 0 && _frameStart.AsSpan(FrameHeaderSize, _frameStartLength - FrameHeaderSize).SequenceEqual((ReadOnlySpan<byte>)[HpackLiteralEncoder.IndexedStatusName, 3, (byte)'1']);
}
