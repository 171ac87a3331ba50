using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Support;

/// <summary>A content whose bytes a test writes, and which remembers what a store did with it.</summary>
internal sealed class RecordingContent : UploadContent
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly RecordingPipeReader _reader;
    private readonly List<long> _reportedOffsets = [];

    public RecordingContent() => _reader = new RecordingPipeReader(_pipe.Reader);

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength => DeclaredLength;

    /// <summary>What the content says of its length.</summary>
    public long? DeclaredLength { get; init; }

    /// <summary>What the content answers when it is asked whether to commit.</summary>
    public Func<ValueTask<bool>> CommitDecision { get; init; } = () => ValueTask.FromResult(true);

    /// <summary>Runs at each report of progress.</summary>
    public Action<long>? OnDurableReported { get; init; }

    /// <summary>How often a store has asked for bytes. 0: the content was not touched.</summary>
    public int ReadCount => _reader.ReadCount;

    /// <summary>Ends when a store asks for bytes for the first time: it has accepted the append.</summary>
    public Task FirstReadTask => _reader.FirstReadTask;

    /// <summary>Whether a store has seen the end of the content, and took all that came before.</summary>
    public bool WasReadToEnd => _reader.ReachedEnd && _reader.ConsumedAll;

    /// <summary>Whether a store has completed the reader, which it must not.</summary>
    public bool WasCompletedByStore => _reader.WasCompleted;

    /// <summary>How often a store asked whether to commit.</summary>
    public int CommitQueryCount { get; private set; }

    /// <summary>What a store reported as durable, in order.</summary>
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

    /// <summary>A content that has all its bytes, in one write, and has ended.</summary>
    public static RecordingContent FromBytes(ReadOnlySpan<byte> bytes)
    {
        var content = new RecordingContent();
        content.Send(bytes);
        content.Complete();
        return content;
    }

    /// <summary>Makes bytes available to the store.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        _pipe.Writer.Write(bytes);

        // Without a threshold a flush never waits.
        CaseAssert.True(_pipe.Writer.FlushAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    /// <summary>Ends the content after what was sent.</summary>
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
        CaseAssert.True(_reader.ReachedEnd, "The store asked whether to commit before the content had ended.");
        CommitQueryCount++;
        return CommitDecision();
    }
}
