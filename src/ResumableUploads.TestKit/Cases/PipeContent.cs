using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

/// <summary>A content whose bytes a test writes, and which remembers what a store did with it.</summary>
internal sealed class PipeContent : UploadContent
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly WatchedPipeReader _reader;
    private readonly List<long> _committed = [];

    public PipeContent() => _reader = new WatchedPipeReader(_pipe.Reader);

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength => Expected;

    /// <summary>What the content says of its length.</summary>
    public long? Expected { get; init; }

    /// <summary>What the content answers when it is asked whether to commit.</summary>
    public Func<ValueTask<bool>> Decide { get; init; } = () => ValueTask.FromResult(true);

    /// <summary>Runs at each report of progress.</summary>
    public Action<long>? OnCommitted { get; init; }

    /// <summary>How often a store has asked for bytes. 0: the content was not touched.</summary>
    public int Reads => _reader.Reads;

    /// <summary>Ends when a store asks for bytes for the first time: it has accepted the append.</summary>
    public Task FirstRead => _reader.FirstRead;

    /// <summary>Whether a store has seen the end of the content, and took all that came before.</summary>
    public bool WasReadToItsEnd => _reader.SawEnd && _reader.TookAll;

    /// <summary>Whether a store has completed the reader, which it must not.</summary>
    public bool WasCompletedByTheStore => _reader.WasCompleted;

    /// <summary>How often a store asked whether to commit.</summary>
    public int TimesAsked { get; private set; }

    /// <summary>What a store reported as durable, in order.</summary>
    public IReadOnlyList<long> CommittedOffsets
    {
        get
        {
            lock (_committed)
            {
                return [.. _committed];
            }
        }
    }

    /// <summary>A content that has all its bytes, in one write, and has ended.</summary>
    public static PipeContent Of(ReadOnlySpan<byte> bytes)
    {
        var content = new PipeContent();
        content.Send(bytes);
        content.End();
        return content;
    }

    /// <summary>Makes bytes available to the store.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        _pipe.Writer.Write(bytes);

        // Without a threshold a flush never waits.
        Check.True(_pipe.Writer.FlushAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    /// <summary>Ends the content after what was sent.</summary>
    public void End() => _pipe.Writer.Complete();

    public override void Committed(long durableOffset)
    {
        lock (_committed)
        {
            _committed.Add(durableOffset);
        }

        OnCommitted?.Invoke(durableOffset);
    }

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken)
    {
        Check.True(_reader.SawEnd, "The store asked whether to commit before the content had ended.");
        TimesAsked++;
        return Decide();
    }
}
