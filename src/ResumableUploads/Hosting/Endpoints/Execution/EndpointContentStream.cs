using System.Runtime.ExceptionServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// The request body of an endpoint. Records a failed read, because model binding and antiforgery treat an <see cref="IOException"/> as a client that has
/// disconnected, and respond as if the content was missing. Content that ends early is a failed read too.
/// </summary>
/// <param name="content">The content in the store.</param>
/// <param name="length">The length of the upload in bytes.</param>
internal sealed class EndpointContentStream(Stream content, long length) : Stream
{
    private ExceptionDispatchInfo? _failure;
    private long _position;

    public override bool CanRead => content.CanRead;

    public override bool CanSeek => content.CanSeek;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position
    {
        get => content.Position;
        set => _position = content.Position = value;
    }

    /// <summary>Gets whether the application has moved the content away in an earlier run.</summary>
    public bool IsMoved => content is MovedContentStream;

    /// <summary>Throws the exception of the first failed read, if there is one.</summary>
    public void ThrowIfReadFailed() => _failure?.Throw();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return Advance(content.Read(buffer), buffer.Length);
        }
        catch (IOException e)
        {
            Record(e);
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return Advance(await content.ReadAsync(buffer, cancellationToken), buffer.Length);
        }
        catch (IOException e)
        {
            Record(e);
            throw;
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => _position = content.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await content.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            content.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Advance(int read, int requested)
    {
        if (read == 0 && requested > 0 && _position < length)
        {
            throw new UploadStoreException(StoreFailure.Corrupt, $"The content ends at {_position} of {length} bytes.");
        }

        _position += read;
        return read;
    }

    private void Record(IOException e) => _failure ??= ExceptionDispatchInfo.Capture(e);
}
