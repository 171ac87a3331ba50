using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace ResumableUploads;

/// <summary>
/// Stands between Kestrel and a connection. On HTTP/2 it holds what Kestrel writes until Kestrel flushes, which it does with whole frames, so
/// that a frame can be written between two of them. It looks at the frames that pass: after a stream's final headers, or its reset, it writes
/// nothing on that stream, whoever asks. Every other connection passes through it untouched.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose handle nobody asks for has nothing to dispose of.")]
internal sealed class InterimPipeWriter(PipeWriter inner) : PipeWriter
{
    private const int LargestKept = 256 * 1024;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentDictionary<int, bool> _open = new();
    private readonly Http2Frames _frames = new();
    private ArrayBufferWriter<byte>? _held = new();
    private bool _isHttp2;

    /// <summary>The bytes wait here; null once it is known that they need not.</summary>
    private IBufferWriter<byte> Target => _held is { } held ? held : inner;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => _held?.WrittenCount ?? inner.UnflushedBytes;

    /// <summary>Lets frames be written on a stream, until Kestrel has ended it.</summary>
    public void Open(int stream) => _open[stream] = true;

    public void Close(int stream) => _open.TryRemove(stream, out _);

    /// <summary>Writes a frame between those of Kestrel; nothing where the stream is not open any more.</summary>
    public async ValueTask WriteBetweenAsync(int stream, ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isHttp2 && _frames.IsBetween && _open.ContainsKey(stream))
            {
                await inner.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => Target.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => Target.GetSpan(sizeHint);

    public override void Advance(int bytes) => Target.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _held is null ? inner.FlushAsync(cancellationToken) : FlushHeldAsync(cancellationToken);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        PassOnWhatIsLeft();
        inner.Complete(exception);
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        PassOnWhatIsLeft();
        return inner.CompleteAsync(exception);
    }

    private async ValueTask<FlushResult> FlushHeldAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            PassOn(_held!);
            return await inner.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    private void PassOn(ArrayBufferWriter<byte> held)
    {
        ReadOnlySpan<byte> bytes = held.WrittenSpan;
        if (bytes.IsEmpty)
        {
            return;
        }

        // The server's side of HTTP/2 begins with a short SETTINGS frame, whose length begins with 0. HTTP/1.1 begins with 'H', TLS with 22.
        _isHttp2 = _isHttp2 || bytes[0] == 0;
        inner.Write(bytes);
        if (!_isHttp2)
        {
            _held = null;
            return;
        }

        _frames.Follow(bytes, _open);
        if (held.Capacity > LargestKept)
        {
            _held = new ArrayBufferWriter<byte>();
        }
        else
        {
            held.ResetWrittenCount();
        }
    }

    /// <summary>Kestrel completes what it has flushed. What is left where it has not is its own, and goes before the end.</summary>
    private void PassOnWhatIsLeft()
    {
        if (_held is { WrittenCount: > 0 } held && _gate.Wait(0))
        {
            PassOn(held);
            _gate.Release();
        }
    }
}
