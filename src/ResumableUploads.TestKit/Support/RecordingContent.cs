using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Support;

/// <summary>Content that a case sends, and that records how a store used it.</summary>
internal sealed class RecordingContent : UploadContent
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly RecordingPipeReader _reader;
    private readonly List<long> _reportedOffsets = [];

    public RecordingContent() => _reader = new RecordingPipeReader(_pipe.Reader);

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength => DeclaredLength;

    /// <summary>Gets the value of <see cref="ExpectedLength"/>.</summary>
    public long? DeclaredLength { get; init; }

    /// <summary>Gets the delegate that decides whether the store commits.</summary>
    public Func<ValueTask<bool>> CommitDecision { get; init; } = () => ValueTask.FromResult(true);

    /// <summary>Gets the delegate that returns the final record for an offset.</summary>
    public Func<long, FinalRecord?> FinalRecordFactory { get; init; } = static _ => null;

    /// <summary>Gets the delegate that decides whether the content belongs to the upload with a record.</summary>
    public Func<UploadRecord, bool> RecordDecision { get; init; } = static _ => true;

    /// <summary>Gets the delegate to call when the store reports a durable offset.</summary>
    public Action<long>? OnDurableReported { get; init; }

    /// <summary>Gets the action to run when the store asks the content to end. The default does nothing, like a process that is paused.</summary>
    public Action<RecordingContent> OnReleaseRequested { get; init; } = static _ => { };

    /// <summary>Gets the number of reads.</summary>
    public int ReadCount => _reader.ReadCount;

    /// <summary>Gets a task that completes at the first read: the store has accepted the append.</summary>
    public Task FirstReadTask => _reader.FirstReadTask;

    /// <summary>Gets whether the store has read and consumed everything.</summary>
    public bool WasReadToEnd => _reader.ReachedEnd && _reader.ConsumedAll;

    /// <summary>Gets whether the store has completed the reader, which it must not do.</summary>
    public bool WasCompletedByStore => _reader.WasCompleted;

    /// <summary>Gets the number of calls of <see cref="ShouldCommitAsync"/>.</summary>
    public int CommitQueryCount { get; private set; }

    /// <summary>Gets the reported durable offsets, in order.</summary>
    public IReadOnlyList<long> ReportedOffsets
    {
        get
        {
            lock (_reportedOffsets)
            {
                return [.. _reportedOffsets];
            }
        }
    }

    /// <summary>Creates content that is completely available.</summary>
    public static RecordingContent FromBytes(ReadOnlySpan<byte> bytes, Func<long, FinalRecord?>? finalRecordFactory = null)
    {
        var content = new RecordingContent { FinalRecordFactory = finalRecordFactory ?? (static _ => null) };
        content.Send(bytes);
        content.Complete();
        return content;
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        _pipe.Writer.Write(bytes);

        // Completes synchronously because the pipe has no pause threshold.
        CaseAssert.True(_pipe.Writer.FlushAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    public void Complete() => _pipe.Writer.Complete();

    public override void ReportDurable(long durableOffset)
    {
        lock (_reportedOffsets)
        {
            _reportedOffsets.Add(durableOffset);
        }

        OnDurableReported?.Invoke(durableOffset);
    }

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken)
    {
        CaseAssert.True(_reader.ReachedEnd, "The store called ShouldCommitAsync before the end of the content.");
        CommitQueryCount++;
        return CommitDecision();
    }

    public override FinalRecord? GetFinalRecord(long offset)
    {
        CaseAssert.True(_reader.ReachedEnd, "The store called GetFinalRecord before the end of the content.");
        return FinalRecordFactory(offset);
    }

    public override bool CanAppendTo(UploadRecord record)
    {
        CaseAssert.Equal(0, ReadCount);
        return RecordDecision(record);
    }

    public override void RequestRelease() => OnReleaseRequested(this);
}
