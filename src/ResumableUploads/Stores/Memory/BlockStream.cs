namespace ResumableUploads.Stores.Memory;

/// <summary>
/// A read-only stream over the first bytes of the content of an upload. Bytes appended later are not visible. The stream stays readable after the
/// upload is deleted, because it holds a reference to the blocks.
/// </summary>
internal sealed class BlockStream : Stream
{
    // Held during a copy, so that a concurrent Dispose does not return the blocks to the pool.
    private readonly Lock _lock = new();
    private readonly BlockList _blocks;
    private readonly long _length;
    private Block? _current;
    private long _position;
    private bool _disposed;

    /// <summary>
    /// Initializes a new instance of the <see cref="BlockStream"/> class and adds a reference to the blocks, which is released when the stream is
    /// disposed.
    /// </summary>
    /// <param name="blocks">The blocks that contain the content.</param>
    /// <param name="length">The number of bytes, from the start of the content, that the stream exposes.</param>
    public BlockStream(BlockList blocks, long length)
    {
        blocks.AddReference();
        _blocks = blocks;
        _length = length;
    }

    public override bool CanRead => !_disposed;

    public override bool CanSeek => !_disposed;

    public override bool CanWrite => false;

    public override long Length
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _length;
        }
    }

    public override long Position
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _position;
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ObjectDisposedException.ThrowIf(_disposed, this);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int total = 0;
            while (total < buffer.Length && _position < _length)
            {
                if (_current is null || _position < _current.StartOffset || _position >= _current.EndOffset)
                {
                    _current = _blocks.FindBlock(_position);
                }

                ReadOnlySpan<byte> bytes = _current.WrittenSpan[(int)(_position - _current.StartOffset)..];
                int count = (int)Math.Min(Math.Min(bytes.Length, buffer.Length - total), _length - _position);
                bytes[..count].CopyTo(buffer[total..]);
                total += count;
                _position += count;
            }

            return total;
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<int>(cancellationToken)
            : ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long target = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            SeekOrigin.End => _length + offset,
            _ => throw new ArgumentOutOfRangeException(nameof(origin)),
        };
        if (target < 0)
        {
            throw new IOException("An attempt was made to move the position before the beginning of the stream.");
        }

        return _position = target;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            if (disposing && !_disposed)
            {
                _disposed = true;
                _current = null;
                _blocks.ReleaseReference();
            }
        }

        base.Dispose(disposing);
    }
}
