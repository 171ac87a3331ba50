using Amazon.S3.Model;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Content;

/// <summary>The content of an upload: its segments, one after the other. Each is read with one request, from the position on.</summary>
internal sealed class SegmentStream(StoreContext context, StoredState state) : Stream
{
    private StoredState _state = state;
    private GetObjectResponse? _response;
    private long _responsePosition = -1;
    private long _responseEnd;

    /// <summary>Gets the state of the upload that is read.</summary>
    public StoredState State => _state;

    public StoreContext Context => context;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = state.Document.Offset;

    public override long Position { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= Length || buffer.IsEmpty)
        {
            return 0;
        }

        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Stream stream = await OpenAsync(cancellationToken);
                using var timeout = new CancellationTokenSource(ObjectStorage.ReadTimeout, context.Time);
                using var source = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
                int count = await stream.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _responseEnd - Position)], source.Token);
                if (count > 0)
                {
                    Position += count;
                    _responsePosition = Position;
                    return count;
                }

                throw new EndOfStreamException("The response ended early.");
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e))
            {
                CloseResponse();
                cancellationToken.ThrowIfCancellationRequested();
                if (attempt == ObjectStorage.MaxAttempts)
                {
                    throw StorageErrors.Create(e, $"read the content of upload '{_state.Key}'", context.Storage.Bucket, isWrite: false);
                }
            }

            await context.Storage.DelayAsync(attempt, cancellationToken);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin)
    {
        long position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => Length + offset,
        };
        if (position < 0)
        {
            throw new IOException("The position is before the begin of the content.");
        }

        return Position = position;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseResponse();
        }

        base.Dispose(disposing);
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        if (_response is not null && _responsePosition == Position && Position < _responseEnd)
        {
            return _response.ResponseStream;
        }

        CloseResponse();
        for (bool isReloaded = false; ; isReloaded = true)
        {
            ContentSegment segment = ContentSegment.Find(_state.Document, Position);
            long start = Position - segment.Start;
            if (await context.Storage.OpenAsync(
                context.Keys.GetObject(segment.Folder, segment.Name), start, segment.Length - 1, cancellationToken) is { } response)
            {
                _response = response;
                _responsePosition = Position;
                _responseEnd = segment.Start + segment.Length;
                return response.ResponseStream;
            }

            // The segments may have been composed into one object meanwhile.
            StoredState? current = await context.States.FindAsync(_state.Key, cancellationToken);
            if (isReloaded || current?.Document is not { Phase: UploadPhase.Live } document || document.Nonce != _state.Document.Nonce)
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"The content of upload '{_state.Key}' was deleted while it was read.");
            }

            _state = current;
        }
    }

    private void CloseResponse()
    {
        _response?.Dispose();
        _response = null;
    }
}
