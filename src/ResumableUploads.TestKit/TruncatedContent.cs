using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>The first bytes of another content.</summary>
internal sealed class TruncatedContent(UploadContent inner, long maxLength, StoreFailure failure) : UploadContent
{
    private readonly TruncatedReader _reader = new(inner.Reader, maxLength);

    public StoreFailure Failure => failure;

    /// <summary>Gets whether the other content has more bytes.</summary>
    public bool WasTruncated => _reader.WasTruncated;

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength => inner.ExpectedLength;

    public override void ReportDurable(long durableOffset) => inner.ReportDurable(durableOffset);

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) =>
        WasTruncated ? ValueTask.FromResult(false) : inner.ShouldCommitAsync(cancellationToken);

    public override bool CanAppendTo(UploadRecord record) => inner.CanAppendTo(record);

    public override void RequestRelease() => inner.RequestRelease();

    private sealed class TruncatedReader(PipeReader inner, long remaining) : PipeReader
    {
        private ReadOnlySequence<byte> _lastBuffer;

        public bool WasTruncated { get; private set; }

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            Truncate(await inner.ReadAsync(cancellationToken));

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            result = read ? Truncate(result) : default;
            return read;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            remaining -= _lastBuffer.Slice(0, consumed).Length;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        private ReadResult Truncate(in ReadResult result)
        {
            WasTruncated |= result.Buffer.Length > remaining;
            _lastBuffer = WasTruncated ? result.Buffer.Slice(0, remaining) : result.Buffer;
            return new ReadResult(_lastBuffer, result.IsCanceled, result.IsCompleted || WasTruncated);
        }
    }
}
