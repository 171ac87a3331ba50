using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Content;

/// <summary>The content of one append as the store sees it: the guarded body, and what is known to be durable.</summary>
internal sealed class AppendContent : UploadContent, IDisposable
{
    /// <summary>How long all of a short body is waited for. A client that is slower gets an upload that it can ask for meanwhile.</summary>
    private static readonly TimeSpan BufferTimeout = TimeSpan.FromMilliseconds(200);

    private readonly RequestBodyReader _reader;
    private readonly IncrementalDigest? _digest;
    private readonly UploadLock _uploadLock;
    private readonly CancellationTokenSource _grace;
    private readonly AppendCommand _command;
    private readonly long? _uploadLength;
    private readonly CancellationToken _stopping;

    /// <param name="command">The append.</param>
    /// <param name="uploadLength">The length of the whole content, where it is known.</param>
    /// <param name="uploadLock">The turn that it holds.</param>
    /// <param name="room">How many bytes it may add at most.</param>
    /// <param name="time">The clock.</param>
    /// <param name="settings">The limits.</param>
    /// <param name="stopping">Fires when the server stops.</param>
    public AppendContent(
        AppendCommand command,
        long? uploadLength,
        UploadLock uploadLock,
        long room,
        TimeProvider time,
        EngineSettings settings,
        CancellationToken stopping)
    {
        _stopping = stopping;
        ExpectedLength = command.BodyLength;
        _uploadLock = uploadLock;
        _digest = command.IsStaged ? new IncrementalDigest(command.ContentDigest, command.ReprDigest) : null;
        _command = command;
        _uploadLength = uploadLength;
        _grace = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _reader = new RequestBodyReader(command.Body, room, _digest, time, settings, () => _grace.CancelAfter(settings.AppendGracePeriod));
    }

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength { get; }

    public override Stream? SourceStream => _command.SourceStream;

    public BodyEndReason EndReason => _reader.EndReason;

    /// <summary>Who wants to know how far it is, or null.</summary>
    public ProgressReporter? Progress { get; set; }

    /// <summary>Fires when the store has not come back long after the content ended early.</summary>
    public CancellationToken GraceToken => _grace.Token;

    /// <summary>Whether the bytes were thrown away because a digest did not match (and not because the body was cut off).</summary>
    public bool DigestFailed { get; private set; }

    /// <summary>Whether that was because the digest itself did not come.</summary>
    public bool IsDigestMissing => _digest?.IsContentDigestMissing is true;

    /// <summary>Whether the bytes before this body are hashed too, because the digest is one of the whole content.</summary>
    public bool MustHashStoredBytes => _command is { IsStaged: true, ReprDigest: not null, Offset: > 0 };

    /// <summary>Until what it gives is disposed, the content ends when somebody else wants the turn, and when the server stops.</summary>
    public StopRegistration RegisterStop() => new(_reader, _uploadLock, _stopping);

    /// <summary>
    /// All bytes of a short body, where they come at once and match their digests; else null. Either way they are still there to be read.
    /// </summary>
    public async ValueTask<ReadOnlySequence<byte>?> TryBufferAsync()
    {
        using StopRegistration stopRegistration = RegisterStop();
        ReadOnlySequence<byte>? bytes = await _reader.TryBufferAsync(_command.BodyLength!.Value, BufferTimeout);
        return bytes is null || _digest is null or { ContentDigestMatches: true, ReprDigestMatches: true } ? bytes : null;
    }

    /// <summary>Hashes what the store has already.</summary>
    public ValueTask HashStoredBytesAsync(Stream stored, CancellationToken cancellationToken) => _digest!.AppendStoredAsync(stored, cancellationToken);

    /// <summary>Waits for whoever is still being told how far it is.</summary>
    public Task WaitForProgressAsync() => Progress?.WaitForPendingAsync() ?? Task.CompletedTask;

    public override void ReportDurable(long durableOffset)
    {
        _uploadLock.DurableOffset = durableOffset;
        Progress?.Report(durableOffset);
        if (_digest is null)
        {
            _command.Observer?.OnDurable(durableOffset);
        }
    }

    public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken)
    {
        if (EndReason != BodyEndReason.EndOfBody || _digest is null)
        {
            return new ValueTask<bool>(EndReason == BodyEndReason.EndOfBody);
        }

        bool completes = AppendValidator.CompletesUpload(_command.CompletionRule, EndReason, _command.Offset + _reader.ConsumedLength, _uploadLength);
        DigestFailed = !_reader.IsFullyConsumed || !_digest.ContentDigestMatches || (completes && !_digest.ReprDigestMatches);
        return new ValueTask<bool>(!DigestFailed);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _digest?.Dispose();
        _grace.Dispose();
    }
}
