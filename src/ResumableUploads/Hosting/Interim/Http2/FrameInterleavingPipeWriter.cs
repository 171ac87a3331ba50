using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// The output of a connection. On HTTP/2 it holds back what the server writes until the server flushes, which is only after whole frames, so
/// that a frame of an interim response can go out in between; any other connection it lets through as it is.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A pipe is completed, not disposed; a semaphore without a wait handle holds nothing.")]
internal sealed class FrameInterleavingPipeWriter(PipeWriter inner, ClientSettingsTracker client) : PipeWriter
{
    /// <summary>The first byte of a server's SETTINGS frame. HTTP/1.1 begins with an H, and TLS with the type of a record.</summary>
    private const byte Http2FirstByte = 0;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly OutgoingFrameTracker _frames = new();
    private readonly UnflushedBuffer _unflushed = new();
    private bool _isHttp2;
    private bool _isPassThrough;
    private bool _isCompleted;

    /// <summary>How many streams may send interim responses now.</summary>
    public int OpenStreamCount => _frames.OpenStreamCount;

    public override bool CanGetUnflushedBytes => !_isPassThrough || inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => _isPassThrough ? inner.UnflushedBytes : _unflushed.Length;

    /// <summary>Lets a stream send interim responses until its answer begins. The answer must not have begun.</summary>
    public void OpenStream(int streamId) => _frames.OpenStream(streamId);

    /// <summary>From here on, nothing is begun for this stream, not even what waits for its turn.</summary>
    public void CloseStream(int streamId) => _frames.CloseStream(streamId);

    /// <summary>
    /// Sends a whole frame between those of the server, and waits until it is flushed. Sends nothing once the final header block or the reset
    /// of its stream was passed on: whoever loses a race against the answer, the client does not see it. Sends nothing to a client that has
    /// made its header table smaller.
    /// </summary>
    public async ValueTask SendAsync(int streamId, ReadOnlyMemory<byte> frame)
    {
        await _gate.WaitAsync();
        try
        {
            if (_isHttp2 && !_isCompleted && !client.HasReducedHeaderTable && _frames.IsOpen(streamId) && _frames.IsAtFrameBoundary)
            {
                FlushResult flushed = await inner.WriteAsync(frame);
                if (flushed.IsCanceled)
                {
                    // It was the server's flush that somebody wanted to cancel.
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
            // An interim response is on its way. Nothing is written any more, so the end may come after it.
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
