namespace ResumableUploads.Client.Sources;

/// <summary>A stream that cannot seek. The bytes that the server has not acknowledged are buffered.</summary>
/// <param name="stream">The stream.</param>
/// <param name="ownsStream">Whether the stream is disposed with the source.</param>
/// <param name="declaredLength">The length according to the app, or null.</param>
/// <param name="bufferSize">The size of the buffer, and the maximum number of bytes in a request.</param>
/// <param name="hasher">The hasher, or null.</param>
internal sealed class BufferedSource(Stream stream, bool ownsStream, long? declaredLength, int bufferSize, ContentHasher? hasher) : UploadSource(hasher)
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(bufferSize, Math.Max(1, declaredLength ?? bufferSize)));

    /// <summary>The offset of the first byte in the buffer.</summary>
    private long _start;
    private int _count;
    private bool _hasEnded;

    public override long? Length => declaredLength ?? (_hasEnded ? End : null);

    public override long FirstOffset => _start;

    private long End => _start + _count;

    public override async ValueTask<SourceRange> PrepareAsync(long offset, long maxCount, CancellationToken cancellationToken)
    {
        while (offset > End && !_hasEnded)
        {
            // The server has these bytes from an earlier call.
            Drop(_count);
            await FillAsync(offset - _start, cancellationToken);
        }

        if (offset > End)
        {
            throw SourceException.Changed($"the server has {offset} bytes, but the stream ended after {End}.");
        }

        Drop((int)(offset - _start));
        await FillAsync(long.MaxValue, cancellationToken);
        if (End == declaredLength && !_hasEnded)
        {
            _hasEnded = await ReadAsync(new byte[1], cancellationToken) == 0 ? true : throw SourceException.Changed($"the stream has more than the declared {declaredLength} bytes.");
        }

        if (_hasEnded && End != (declaredLength ?? End))
        {
            throw SourceException.Changed($"the stream ended after {End} of the declared {declaredLength} bytes.");
        }

        int count = (int)Math.Min(_count, maxCount);
        return new SourceRange(count, _hasEnded && count == _count);
    }

    public override async ValueTask WriteAsync(long offset, long count, IRangeWriter writer, CancellationToken cancellationToken)
    {
        for (long end = offset + count; offset < end;)
        {
            ReadOnlyMemory<byte> bytes = _buffer.AsMemory((int)(offset - _start), (int)Math.Min(BufferSize, end - offset));
            offset += bytes.Length;
            await writer.WriteAsync(offset, bytes, cancellationToken);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (ownsStream)
        {
            await stream.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    private void Drop(int count)
    {
        _buffer.AsSpan(count, _count - count).CopyTo(_buffer);
        _start += count;
        _count -= count;
    }

    /// <summary>Reads until the buffer is full, has the given number of bytes, or the stream ends.</summary>
    private async ValueTask FillAsync(long maxCount, CancellationToken cancellationToken)
    {
        int size = (int)Math.Min(Math.Min(_buffer.Length, maxCount), (declaredLength ?? long.MaxValue) - _start);
        while (!_hasEnded && _count < size)
        {
            Memory<byte> free = _buffer.AsMemory(_count, size - _count);
            int read = await ReadAsync(free, cancellationToken);
            Hasher?.Append(End, free.Span[..read]);
            _count += read;
            _hasEnded = read == 0;
        }
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SourceException(UploadFailureReason.SourceFailed, $"The content cannot be read: {e.Message}", e);
        }
    }
}
