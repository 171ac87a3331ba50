using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>A store in memory that counts the bytes of all appends as they arrive.</summary>
internal sealed class ArrivalStore() : DelegatingUploadStore(new MemoryUploadStore())
{
    private long _received;
    private int _running;

    /// <summary>Gets the number of bytes that have arrived since the start.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Gets whether no append is running.</summary>
    public bool IsIdle => Volatile.Read(ref _running) == 0;

    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _running);
        try
        {
            return await InnerStore.AppendAsync(key, offset, new CountedContent(this, content), mode, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private sealed class CountedContent(ArrivalStore store, UploadContent inner) : UploadContent
    {
        private readonly CountedReader _reader = new(store, inner.Reader);

        public override PipeReader Reader => _reader;

        public override long? ExpectedLength => inner.ExpectedLength;

        public override void ReportDurable(long durableOffset) => inner.ReportDurable(durableOffset);

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => inner.ShouldCommitAsync(cancellationToken);

        public override bool CanAppendTo(UploadRecord record) => inner.CanAppendTo(record);

        public override void RequestRelease() => inner.RequestRelease();
    }

    private sealed class CountedReader(ArrivalStore store, PipeReader inner) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            ReadResult result = await inner.ReadAsync(cancellationToken);
            _buffer = result.Buffer;
            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            _buffer = read ? result.Buffer : default;
            return read;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            long count = _buffer.Slice(_buffer.Start, consumed).Length;
            inner.AdvanceTo(consumed, examined);
            Interlocked.Add(ref store._received, count);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}
