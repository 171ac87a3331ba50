namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>The bytes of one block, in segments of the pool. Disposing it returns the segments.</summary>
internal sealed class BlockBuffer(BufferPool pool) : IDisposable
{
    private readonly List<byte[]> _segments = [];

    public int Length { get; private set; }

    /// <summary>Copies bytes into the buffer until it has <paramref name="capacity"/> bytes or the pool has no memory.</summary>
    /// <returns>The number of bytes that were copied. At least one, unless the buffer has bytes already.</returns>
    public int Write(ReadOnlySpan<byte> bytes, int capacity)
    {
        int written = 0;
        while (written < bytes.Length && Length < capacity)
        {
            int used = Length % BufferPool.SegmentSize;
            if (used == 0)
            {
                // An append without any memory would never end, so its first segment does not count against the limit.
                byte[]? segment = Length == 0 ? pool.Rent() : pool.TryRent();
                if (segment is null)
                {
                    break;
                }

                _segments.Add(segment);
            }

            int count = Math.Min(Math.Min(bytes.Length - written, BufferPool.SegmentSize - used), capacity - Length);
            bytes.Slice(written, count).CopyTo(_segments[^1].AsSpan(used));
            written += count;
            Length += count;
        }

        return written;
    }

    /// <summary>Opens a stream of the bytes. It is valid until the buffer is disposed.</summary>
    public Stream OpenRead() => new BufferStream(_segments, Length);

    public void Dispose()
    {
        _segments.ForEach(pool.Return);
        _segments.Clear();
        Length = 0;
    }

    /// <summary>A read-only stream of segments. The base class has the members that do not depend on where the bytes are.</summary>
    private sealed class BufferStream(List<byte[]> segments, int length) : MemoryStream([], writable: false)
    {
        private int _position;

        public override long Length => length;

        public override long Position
        {
            get => _position;
            set => _position = checked((int)value);
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int start = _position % BufferPool.SegmentSize;
            int read = Math.Max(0, Math.Min(Math.Min(count, BufferPool.SegmentSize - start), length - _position));
            if (read > 0)
            {
                segments[_position / BufferPool.SegmentSize].AsSpan(start, read).CopyTo(buffer.AsSpan(offset));
                _position += read;
            }

            return read;
        }

        public override int ReadByte()
        {
            byte[] one = new byte[1];
            return Read(one, 0, 1) > 0 ? one[0] : -1;
        }

        public override long Seek(long offset, SeekOrigin origin) => Position = offset + (origin == SeekOrigin.Begin ? 0 : origin == SeekOrigin.Current ? _position : length);
    }
}
