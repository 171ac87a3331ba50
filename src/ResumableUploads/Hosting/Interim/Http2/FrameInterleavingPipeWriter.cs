using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// The output of a connection, into which HTTP/2 frames can be inserted. It buffers the output of the server until the server flushes, which
/// Kestrel does only after complete frames. The output of connections that do not use HTTP/2 is passed through.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A pipe is completed, not disposed, and a semaphore without a wait handle has no unmanaged resource.")]
internal sealed class FrameInterleavingPipeWriter(PipeWriter inner, ClientSettingsTracker settings) : PipeWriter
{
    /// <summary>The first byte of the server's SETTINGS frame. HTTP/1.1 starts with 'H', and TLS with a record type greater than 0.</summary>
    private const byte Http2FirstByte = 0;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly OutgoingFrameTracker _frames = new();
    private readonly UnflushedBuffer _unflushed = new();
    private bool _isHttp2;
    private bool _isPassThrough;
    private bool _isCompleted;

    /// <summary>Gets the number of streams on which interim responses may be sent.</summary>
    public int OpenStreamCount => _frames.OpenStreamCount;

    public override bool CanGetUnflushedBytes => !_isPassThrough || inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => _isPassThrough ? inner.UnflushedBytes : _unflushed.Length;

    /// <summary>Allows interim responses for a stream until its final response starts. The final response must not have started.</summary>
    public void OpenStream(int streamId) => _frames.OpenStream(streamId);

    /// <summary>Disallows interim responses for a stream, including those that wait for a pending flush.</summary>
    public void CloseStream(int streamId) => _frames.CloseStream(streamId);

    /// <summary>
    /// Sends a complete frame between the frames of the server, and waits until it is flushed. Drops the frame if the final response of its
    /// stream has started, if the stream was reset, or if the client has reduced its header table (see <see cref="ClientSettingsTracker"/>).
    /// </summary>
    public async ValueTask SendAsync(int streamId, ReadOnlyMemory<byte> frame)
    {
        await _gate.WaitAsync();
        try
        {
            if (_isHttp2 && !_isCompleted && !settings.HasReducedHeaderTable && _frames.IsOpen(streamId) && _frames.IsAtFrameBoundary)
            {
                FlushResult flushed = await inner.WriteAsync(frame);
                if (flushed.IsCanceled)
                {
                    // Kestrel canceled its own flush, but this write observed the cancellation. Cancel again, so that the next flush of Kestrel observes it.
                    inner.CancelPendingFlush();
                }
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _isPassThrough ? inner.GetMemory(sizeHint) : _unflushed.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _isPassThrough ? inner.GetSpan(sizeHint) : _unflushed.GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_isPassThrough)
        {
            inner.Advance(bytes);
        }
        else
        {
            _unflushed.Advance(bytes);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _isPassThrough ? inner.FlushAsync(cancellationToken) : FlushExclusiveAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (_isPassThrough)
        {
            return inner.WriteAsync(source, cancellationToken);
        }

        this.Write(source.Span);
        return FlushExclusiveAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        if (!_gate.Wait(0))
        {
            // An interim response is being flushed. The server does not write any more, so the pipe is completed asynchronously after that flush.
            _ = CompleteAsync(exception).AsTask();
            return;
        }

        try
        {
            ForwardUnflushed();
            _isCompleted = true;
            inner.Complete(exception);
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        await _gate.WaitAsync();
        try
        {
            ForwardUnflushed();
            _isCompleted = true;
            await inner.CompleteAsync(exception);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask<FlushResult> FlushExclusiveAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            ForwardUnflushed();
            return await inner.FlushAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    private void ForwardUnflushed()
    {
        ReadOnlySpan<byte> bytes = _unflushed.Span;
        if (bytes.IsEmpty)
        {
            return;
        }

        if (_isHttp2 || bytes[0] == Http2FirstByte)
        {
            _isHttp2 = true;
            _frames.Process(bytes);
        }
        else
        {
            _isPassThrough = true;
        }

        inner.Write(bytes);
        _unflushed.Clear();
    }
}
