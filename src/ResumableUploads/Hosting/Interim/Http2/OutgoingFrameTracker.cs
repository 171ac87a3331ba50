using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Parses the frames that the server sends on one HTTP/2 connection, to know where a frame may be inserted and which streams have not started
/// their final response.
/// </summary>
internal sealed class OutgoingFrameTracker
{
    private const int FrameHeaderSize = 9;
    private const int HeaderBlockPeekSize = 3;
    private const byte HeadersFrameType = 0x1;
    private const byte ResetStreamFrameType = 0x3;
    private const byte ContinuationFrameType = 0x9;
    private const byte EndHeadersFlag = 0x4;

    /// <summary>END_STREAM, PADDED and PRIORITY, which Kestrel never sets on an interim response.</summary>
    private const byte FinalResponseFlags = 0x1 | 0x8 | 0x20;

    private readonly ConcurrentDictionary<int, bool> _openStreams = new();
    private readonly byte[] _header = new byte[FrameHeaderSize + HeaderBlockPeekSize];
    private int _headerLength;
    private int _payloadRemaining;
    private bool _isInHeaderBlock;

    /// <summary>Gets a value indicating whether a frame may be inserted: the last frame is complete, and no CONTINUATION frame must follow it.</summary>
    public bool IsAtFrameBoundary => _headerLength == 0 && _payloadRemaining == 0 && !_isInHeaderBlock;

    public int OpenStreamCount => _openStreams.Count;

    /// <summary>Starts to track a stream whose final response has not started.</summary>
    public void OpenStream(int streamId) => _openStreams[streamId] = true;

    /// <summary>Stops tracking a stream, as if its final response had started.</summary>
    public void CloseStream(int streamId) => _openStreams.TryRemove(streamId, out _);

    /// <summary>Returns whether a stream is tracked, and neither its final response nor its reset has started.</summary>
    public bool IsOpen(int streamId) => _openStreams.ContainsKey(streamId);

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

            int count = Math.Min(GetRequiredHeaderLength() - _headerLength, bytes.Length);
            bytes[..count].CopyTo(_header.AsSpan(_headerLength));
            _headerLength += count;
            bytes = bytes[count..];
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
    /// Returns whether a header block is an interim response: it starts with a literal status 1xx, as the <c>100 Continue</c> of Kestrel does. A
    /// final response cannot start like this. An interim response in another encoding counts as final, which only means that the client gets no
    /// further interim responses.
    /// </summary>
    private bool IsInterimResponse(byte flags) =>
        (flags & FinalResponseFlags) == 0 && _header.AsSpan(FrameHeaderSize, _headerLength - FrameHeaderSize).SequenceEqual((ReadOnlySpan<byte>)[HpackLiteralEncoder.IndexedStatusName, 3, (byte)'1']);
}
