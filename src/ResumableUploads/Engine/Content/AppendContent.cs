using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Content;

/// <summary>The content of one append as the store sees it: the bounded request body, its digests, and the durable offset.</summary>
internal sealed class AppendContent : UploadContent, IDisposable
{
    /// <summary>
    /// The maximum time to wait for all bytes of a short body. If the client is slower, the upload is created first, so that the client can query it.
    /// </summary>
    private static readonly TimeSpan BufferTimeout = TimeSpan.FromMilliseconds(200);

    private readonly RequestBodyReader _reader;
    private readonly IncrementalDigest? _digest;
    private readonly UploadLock _uploadLock;
    private readonly DelayedCancellation _grace;
    private readonly AppendCommand _command;
    private readonly long? _uploadLength;
    private readonly CancellationToken _stopping;
    private int _syncEvents;

    /// <param name="command">The append.</param>
    /// <param name="uploadLength">The length of the whole upload, or <see langword="null"/> if it is unknown.</param>
    /// <param name="uploadLock">The lock that the append holds.</param>
    /// <param name="maxLength">The maximum number of bytes that the append may add.</param>
    /// <param name="time">The clock.</param>
    /// <param name="settings">The limits and timeouts.</param>
    /// <param name="stopping">The token that is canceled when the server stops.</param>
    public AppendContent(
        AppendCommand command,
        long? uploadLength,
        UploadLock uploadLock,
        long maxLength,
        TimeProvider time,
        EngineSettings settings,
        CancellationToken stopping)
    {
        _stopping = stopping;
        ExpectedLength = command.BodyLength;
        _uploadLock = uploadLock;
        _command = command;
        _uploadLength = uploadLength;
        _digest = command.IsStaged ? new IncrementalDigest(command.ContentDigest, MayComplete ? command.ReprDigest : null) : null;
        _grace = new DelayedCancellation(settings.AppendGracePeriod, time);
        _reader = new RequestBodyReader(command.Body, maxLength, _digest, time, settings, _grace.Start)
        {
            // A staged body that ends early is discarded, so that the append ends where it began.
            OnEnded = command.OnBodyEnded,
            Connection = command.Connection,
            BodyLength = command.BodyLength ?? long.MaxValue,
            CountingLock = command.IsStaged ? null : uploadLock,
        };
        uploadLock.StartReceiving(command.Offset);
    }

    public override PipeReader Reader => _reader;

    public override long? ExpectedLength { get; }

    public override Stream? SourceStream => _command.SourceStream;

    public BodyEndReason EndReason => _reader.EndReason;

    /// <summary>
    /// Gets or sets whether the bytes are stored under a temporary key and may still be rejected after the last one, so that durable offsets are not reported.
    /// </summary>
    public bool IsProvisional { get; set; }

    /// <summary>Gets or sets the record of the upload for which the append was checked, or <see langword="null"/> before that.</summary>
    public UploadRecord? CheckedRecord { get; set; }

    /// <summary>Gets or sets the function that returns the record of the upload if this body completes it, or <see langword="null"/>.</summary>
    public Func<long, FinalRecord?>? FinalRecordFactory { get; set; }

    /// <summary>Gets or sets the receiver of durable offsets, or <see langword="null"/> if the application does not track progress.</summary>
    public ProgressReporter? Progress { get; set; }

    /// <summary>Gets or sets the bytes that are reserved for the body, or <see langword="null"/> if the length of the upload is known.</summary>
    public QuotaReservation? Reservation
    {
        get => _reader.Reservation;
        set => _reader.Reservation = value;
    }

    /// <summary>
    /// Gets a token that is canceled if the store has not returned within the grace period after the body ended early, or after a stop of the body was requested.
    /// </summary>
    public CancellationToken GraceToken => _grace.Token;

    /// <summary>Gets whether the bytes were discarded because a digest did not match, as opposed to an interrupted body.</summary>
    public bool DigestFailed { get; private set; }

    /// <summary>Gets whether the digest in the trailer is missing or malformed.</summary>
    public bool IsDigestMissing => _digest?.IsContentDigestMissing is true;

    /// <summary>
    /// Gets the algorithm with which the bytes before this body must be hashed first, because the body may complete the content and its digest includes them;
    /// otherwise <see langword="null"/>.
    /// </summary>
    public DigestAlgorithm? StoredBytesAlgorithm =>
        _digest is not null && _command.Offset > 0 && MayComplete ? _command.ReprDigest?.Algorithm : null;

    /// <summary>Gets whether the upload may be complete if the whole body arrives.</summary>
    private bool MayComplete => AppendValidator.MayComplete(_command, _uploadLength);

    /// <summary>Registers the end of the body for the case that another request preempts the upload or the server stops. Dispose the result to unregister.</summary>
    public StopRegistration RegisterStop() => new(_reader, _uploadLock, _stopping);

    /// <summary>
    /// Returns all bytes of a short body if they arrive within a short time and match their digests; otherwise
    /// <see langword="null"/>. Consumes no bytes in either case.
    /// </summary>
    public async ValueTask<ReadOnlySequence<byte>?> TryBufferAsync()
    {
        using StopRegistration stopRegistration = RegisterStop();
        ReadOnlySequence<byte>? bytes = await _reader.TryBufferAsync(_command.BodyLength!.Value, BufferTimeout);
        return bytes is null || _digest is null or { ContentDigestMatches: true, ReprDigestMatches: true } ? bytes : null;
    }

    /// <summary>Ends the body if it has not ended, otherwise the wait for the store: cancels <see cref="GraceToken"/>.</summary>
    public void Abandon()
    {
        if (EndReason == BodyEndReason.NotEnded)
        {
            _reader.RequestStop(BodyEndReason.Disconnected);
        }
        else
        {
            _grace.Cancel();
        }
    }

    /// <summary>Sets the hash of the bytes that are already stored.</summary>
    public void SetStoredHash(IIncrementalHash hash) => _digest!.SetStoredHash(hash);

    /// <summary>Returns a task that completes when the running call of the progress handler has ended.</summary>
    public Task WaitForProgressAsync() => Progress?.WaitForPendingAsync() ?? Task.CompletedTask;

    public override void ReportDurable(long durableOffset)
    {
        if (IsProvisional)
        {
            return;
        }

        if (_command.Activity is { } activity && _syncEvents++ < UploadTracing.MaxSyncEvents)
        {
            UploadTracing.AddEvent(activity, UploadTracing.SyncEvent, UploadTracing.OffsetTag, durableOffset);
        }

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

    public override FinalRecord? GetFinalRecord(long offset) => FinalRecordFactory?.Invoke(offset);

    public override bool CanAppendTo(UploadRecord record) =>
        CheckedRecord is null
        || (record.Length == CheckedRecord.Length && record.State == CheckedRecord.State && record.Data.Span.SequenceEqual(CheckedRecord.Data.Span));

    public override void RequestRelease()
    {
        if (!_uploadLock.CannotBePreempted)
        {
            _uploadLock.RequestRelease();
        }
    }

    public void Dispose()
    {
        _uploadLock.StopReceiving();
        _reader.Dispose();
        _digest?.Dispose();
        _grace.Dispose();
    }
}
