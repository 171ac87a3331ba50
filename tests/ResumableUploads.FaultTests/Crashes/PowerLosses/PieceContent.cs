using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Content that returns one chunk per read.</summary>
internal sealed class ChunkContent(byte[][] chunks, Action<long> committed, Func<bool> isWanted) : UploadContent
{
    public override PipeReader Reader { get; } = new ChunkReader(chunks);

    /// <summary>Gets the delegate that returns the final record for an offset.</summary>
    public Func<long, FinalRecord?> FinalRecordFactory { get; init; } = static _ => null;

    public override void ReportDurable(long durableOffset) => committed(durableOffset);

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(isWanted());

    public override FinalRecord? GetFinalRecord(long offset) => FinalRecordFactory(offset);

    private sealed class ChunkReader(byte[][] chunks) : PipeReader
    {
        private int _next;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            TryRead(out ReadResult result);
            return ValueTask.FromResult(result);
        }

        public override bool TryRead(out ReadResult result)
        {
            bool isThere = _next < chunks.Length;
            result = new ReadResult(isThere ? new ReadOnlySequence<byte>(chunks[_next++]) : default, isCanceled: false, isCompleted: !isThere);
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed)
        {
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
        }

        public override void CancelPendingRead()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
