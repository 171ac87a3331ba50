namespace ResumableUploads.Client.Sources;

/// <summary>A stream that can seek, from its current position to its end.</summary>
internal sealed class SeekableStreamSource(Stream stream, ContentHasher? hasher) : RandomAccessSource(Math.Max(0, stream.Length - stream.Position), hasher)
{
    private readonly long _start = stream.Position;
    private readonly long _streamLength = stream.Length;

    // A handler of the app can send a request twice at the same time.
    private readonly SemaphoreSlim _semaphore = new(1);

    public override ValueTask DisposeAsync()
    {
        _semaphore.Dispose();
        return base.DisposeAsync();
    }

    protected override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await _semaphore.WaitAsync(cancellationToken);
        try
        {
            if (stream.Position != _start + offset)
            {
                stream.Position = _start + offset;
            }

            return await stream.ReadAsync(buffer, cancellationToken);
        }
        finally
        {
            _semaphore.Release();
        }
    }

    protected override void ThrowIfChanged()
    {
        if (stream.Length is var length && length != _streamLength)
        {
            throw SourceException.Changed($"the stream had {_streamLength} bytes and now has {length}.");
        }
    }
}
