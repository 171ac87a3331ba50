using System.Buffers;
using System.IO.Pipelines;

namespace ResumableUploads.TestKit.Support;

/// <summary>Forwards to another reader and records the calls.</summary>
internal sealed class RecordingPipeReader(PipeReader inner) : PipeReader
{
    private readonly TaskCompletionSource _firstReadSource = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReadOnlySequence<byte> _lastBuffer;
    private int _readCount;

    public int ReadCount => Volatile.Read(ref _readCount);

    public Task FirstReadTask => _firstReadSource.Task;

    public bool ReachedEnd { get; private set; }

    public bool ConsumedAll { get; private set; } = true;

    public bool WasCompleted { get; private set; }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        RecordRead();
        return RecordResult(await inner.ReadAsync(cancellationToken));
    }

    public override bool TryRead(out ReadResult result)
    {
        RecordRead();
        bool read = inner.TryRead(out result);
        if (read)
        {
            RecordResult(result);
        }

        return read;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ConsumedAll = _lastBuffer.Slice(consumed).IsEmpty;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        WasCompleted = true;
        inner.Complete(exception);
    }

    private void RecordRead()
    {
        Interlocked.Increment(ref _readCount);
        _firstReadSource.TrySetResult();
    }

    private ReadResult RecordResult(ReadResult result)
    {
        _lastBuffer = result.Buffer;
        ConsumedAll = result.Buffer.IsEmpty;
        ReachedEnd |= result.IsCompleted;
        return result;
    }
}
