using System.Buffers;
using System.IO.Pipelines;

namespace ResumableUploads.FunctionalTests.Hosting.Interim.Http2;

/// <summary>The output of a connection that records the bytes of each flush.</summary>
internal sealed class RecordingPipeWriter(PipeWriter inner) : PipeWriter
{
    private readonly Lock _lock = new();
    private readonly List<byte[]> _flushes = [];
    private readonly List<byte> _unflushed = [];
    private Memory<byte> _memory;

    /// <summary>Gets the bytes of each flush so far.</summary>
    public byte[][] Flushes
    {
        get
        {
            lock (_lock)
            {
                return [.. _flushes];
            }
        }
    }

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _memory = inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        _unflushed.AddRange(_memory.Span[..bytes]);
        _memory = _memory[bytes..];
        inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            _flushes.Add([.. _unflushed]);
        }

        _unflushed.Clear();
        return inner.FlushAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        this.Write(source.Span);
        return FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
}
