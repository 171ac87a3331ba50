using System.Net;
using ResumableUploads.Client.Sources;

namespace ResumableUploads.Client.Engine;

/// <summary>A range of a source as the body of a request. Handlers of the app can send it several times.</summary>
/// <param name="source">The source.</param>
/// <param name="offset">The offset of the range.</param>
/// <param name="count">The number of bytes.</param>
/// <param name="sending">Runs before bytes are written, with the offset after them: a write that fails can have sent some of them.</param>
/// <param name="sent">Runs when bytes were written, with the offset after them.</param>
internal sealed class RangeContent(UploadSource source, long offset, long count, Action<long> sending, Action<long> sent) : HttpContent
{
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private int _running;
    private bool _isRevoked;

    /// <summary>Gets why the source could not be read.</summary>
    public SourceException? Failure { get; private set; }

    /// <summary>Gets how often a request with this content was sent.</summary>
    public int Sends { get; private set; }

    /// <summary>Ends the use of the source. The returned task completes when no write is running.</summary>
    public Task RevokeAsync()
    {
        lock (_lock)
        {
            _isRevoked = true;
            if (_running == 0)
            {
                _idle.TrySetResult();
            }
        }

        return _idle.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Enter();
        try
        {
            await source.WriteAsync(offset, count, new StreamWriter(this, stream), cancellationToken);
        }
        catch (SourceException e)
        {
            Failure = e;
            throw;
        }
        finally
        {
            Exit();
        }
    }

    private void Enter()
    {
        lock (_lock)
        {
            ThrowIfRevoked();
            _running++;
            Sends++;
        }
    }

    private void Exit()
    {
        lock (_lock)
        {
            if (--_running == 0 && _isRevoked)
            {
                _idle.TrySetResult();
            }
        }
    }

    private void ThrowIfRevoked()
    {
        if (_isRevoked)
        {
            throw new OperationCanceledException("The request was abandoned.");
        }
    }

    private sealed class StreamWriter(RangeContent content, Stream stream) : IRangeWriter
    {
        public async ValueTask WriteAsync(long end, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            lock (content._lock)
            {
                content.ThrowIfRevoked();
            }

            content.Sending(end);
            await stream.WriteAsync(bytes, cancellationToken);
            content.Sent(end);
        }
    }

    private void Sending(long end) => sending(end);

    private void Sent(long end) => sent(end);
}
