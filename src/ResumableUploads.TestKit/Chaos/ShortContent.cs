using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>The first bytes of a content. It ends there.</summary>
internal sealed class ShortContent(UploadContent inner, long bytes, StoreFailure failure) : UploadContent
{
    private readonly CutReader _reader = new(inner.Reader, bytes);

    public StoreFailure Failure => failure;

    /// <summary>Whether there was more than these bytes.</summary>
    public bool WasCut => _reader.WasCut;

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength => inner.ExpectedLength;

    public override void Committed(long durableOffset) => inner.Committed(durableOffset);

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) =>
        WasCut ? ValueTask.FromResult(false) : inner.ShouldCommitAsync(cancellationToken);

    private sealed class CutReader(PipeReader inner, long left) : PipeReader
    {
        private ReadOnlySequence<byte> _given;

        public bool WasCut { get; private set; }

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            Cut(await inner.ReadAsync(cancellationToken));

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            result = read ? Cut(result) : default;
            return read;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            left -= _given.Slice(0, consumed).Length;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        private ReadResult Cut(in ReadResult result)
        {
            WasCut |= result.Buffer.Length > left;
            _given = WasCut ? result.Buffer.Slice(0, left) : result.Buffer;
            return new ReadResult(_given, result.IsCanceled, result.IsCompleted || WasCut);
        }
    }
}
