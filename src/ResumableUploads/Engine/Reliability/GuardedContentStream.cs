using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Reliability;

/// <summary>
/// A stored content whose reads throw <see cref="UploadStoreException"/> if the storage fails or cancels them by itself, so that a failed read is never mistaken
/// for a bug, or for a client that has disconnected.
/// </summary>
/// <param name="inner">The stream of the store.</param>
internal sealed class GuardedContentStream(Stream inner) : Stream
{
    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => inner.CanSeek;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    /// <summary>Returns the stream of the store, which may be able to copy it without reading it.</summary>
    public static Stream? Unwrap(Stream? content) => content is GuardedContentStream guarded ? guarded.Inner : content;

    private Stream Inner => inner;

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return inner.Read(buffer);
        }
        catch (Exception e) when (IsFailure(e, CancellationToken.None))
        {
            throw CreateException(e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (IsFailure(e, cancellationToken))
        {
            throw CreateException(e);
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private static bool IsFailure(Exception e, CancellationToken cancellationToken) =>
        e is (IOException and not UploadStoreException) or UnauthorizedAccessException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static UploadStoreException CreateException(Exception e) =>
        new(StoreFailure.Unavailable, $"The stored content could not be read: {e.Message}", null, e);
}
