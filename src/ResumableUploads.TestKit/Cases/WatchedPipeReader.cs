using System.Buffers;
using System.IO.Pipelines;

namespace ResumableUploads.TestKit.Cases;

/// <summary>Passes everything on to another reader, and remembers how it was used.</summary>
internal sealed class WatchedPipeReader(PipeReader inner) : PipeReader
{
    private readonly TaskCompletionSource _firstRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReadOnlySequence<byte> _given;
    private int _reads;

    public int Reads => Volatile.Read(ref _reads);

    public Task FirstRead => _firstRead.Task;

    public bool SawEnd { get; private set; }

    public bool TookAll { get; private set; } = true;

    public bool WasCompleted { get; private set; }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        CountRead();
        return Remember(await inner.ReadAsync(cancellationToken));
    }

    public override bool TryRead(out ReadResult result)
    {
        CountRead();
        bool read = inner.TryRead(out result);
        if (read)
        {
            Remember(result);
        }

        return read;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        TookAll = _given.Slice(consumed).IsEmpty;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        WasCompleted = true;
        inner.Complete(exception);
    }

    private void CountRead()
    {
        Interlocked.Increment(ref _reads);
        _firstRead.TrySetResult();
    }

    private ReadResult Remember(ReadResult result)
    {
        _given = result.Buffer;
        TookAll = result.Buffer.IsEmpty;
        SawEnd |= result.IsCompleted;
        return result;
    }
}
