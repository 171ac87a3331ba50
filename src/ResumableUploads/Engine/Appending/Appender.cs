using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// What a turn led to: an outcome; or an upload that left receiving, claimed by this request (<paramref name="LeasedRecord"/>) or not.
/// </summary>
internal readonly record struct AppendStepResult(UploadResult? Result, UploadInfo? Info = null, EngineRecord? LeasedRecord = null)
{
    /// <summary>Whether this request has made the upload.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Whether the upload was completed before this request.</summary>
    public bool IsReplay { get; init; }

    /// <summary>Ends when the application has heard how far the upload is. Its handler runs after that.</summary>
    public Task ProgressReported { get; init; } = Task.CompletedTask;

    public static implicit operator AppendStepResult(UploadResult outcome) => new(outcome);
}

/// <summary>The part of an append that happens under the turn.</summary>
internal sealed class Appender(
    IUploadStore store,
    RecordPolicy records,
    RecordUpdater change,
    OwnerQuota ledger,
    SingleRequestUpload whole,
    UploadCreator creation,
    ReprDigestVerifier wholeDigest,
    UploadRemover removal,
    HandlerLeases claims,
    EngineSettings settings,
    UploadMetrics metrics,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping)
{
    private readonly EmptyBodyDetector _emptyBodyDetector = new(settings, time, stopping);

    public async ValueTask<AppendStepResult> ExecuteAsync(
        AppendCommand command, UploadInfo? info, UploadLock turn, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (stopping.IsCancellationRequested)
        {
            return new UploadResult(UploadResultKind.ShuttingDown, info?.Offset);
        }

        EngineRecord? data = info is null ? null : EngineRecord.From(info);
        if (info is not null && await CheckExistingUploadAsync(command, info, data!, turn, cancellationToken) is { } settled)
        {
            return settled;
        }

        if (info is null && command.CreateIfMissing is null)
        {
            return new UploadResult(UploadResultKind.NotFound);
        }

        if (info is null && command.Offset != 0)
        {
            return AppendValidator.OffsetMismatch(command, 0);
        }

        // All that can be said against a new upload is said before it is made.
        if (CannotStage(command, info))
        {
            return new UploadResult(UploadResultKind.DigestUnsupported, info?.Offset ?? 0) { UploadLength = info?.Length };
        }

        if (!ledger.TryReserveAppend(command.Key.Owner))
        {
            return new UploadResult(UploadResultKind.TooManyAppends, info?.Offset ?? 0);
        }

        try
        {
            return info is null
                ? await CreateAndAppendAsync(command, command.CreateIfMissing!, turn, callbacks, cancellationToken)
                : await AppendAsync(command, info, data!, turn, callbacks, content: null, cancellationToken);
        }
        finally
        {
            ledger.ReleaseAppend(command.Key.Owner);
        }
    }

    private async ValueTask<AppendStepResult> CreateAndAppendAsync(
        AppendCommand command, CreateCommand details, UploadLock turn, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        using AppendContent? content = whole.CanCreate(command)
            ? new AppendContent(command, command.KnownLength, turn, command.BodyLength!.Value, time, settings, stopping)
            : null;
        CreationResult made = await creation.CreateAsync(command, details, callbacks, content, cancellationToken);
        (UploadResult? refusal, UploadInfo? info, EngineRecord data) = made;
        if (refusal is not null)
        {
            return refusal;
        }

        if (command.Observer is { } watch)
        {
            await watch.OnCreatedAsync(info!);
        }

        if (made.IsCompleted)
        {
            content!.Progress = CreateProgressReporter(command, info!, data, callbacks);
            content.ReportDurable(info!.Offset);
            return ReceivedResult(info!, data, callbacks) with { IsCreated = true, ProgressReported = content.WaitForProgressAsync() };
        }

        AppendStepResult step;
        try
        {
            // Another process may have made it meanwhile, and have gone on with it.
            step = await CheckExistingUploadAsync(command, info!, data, turn, cancellationToken)
                ?? await AppendAsync(command, info!, data, turn, callbacks, content, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e, e.Failure, command.Key, e.DurableOffset);
            step = UploadResult.FromException(e);
        }

        if (step.Result is { Kind: UploadResultKind.DigestMismatch, IsFinalDigestMismatch: false })
        {
            await RemoveIfEmptyAsync(command.Key);
            return step;
        }

        return step with { IsCreated = true };
    }

    /// <summary>Nothing counts of a first request that is not what its digest says, and neither does what it said about the upload.</summary>
    private async ValueTask RemoveIfEmptyAsync(UploadKey key)
    {
        if (await store.GetAsync(key, CancellationToken.None) is { Offset: 0, State: UploadState.Receiving } empty)
        {
            await removal.RemoveAsync(empty, whateverIsThere: false, CancellationToken.None);
        }
    }

    /// <summary>What there is to say without a byte of the body; null: nothing against the append.</summary>
    private async ValueTask<AppendStepResult?> CheckExistingUploadAsync(
        AppendCommand command, UploadInfo info, EngineRecord data, UploadLock turn, CancellationToken cancellationToken)
    {
        if (data.Concatenation is { IsPart: false })
        {
            return new AppendStepResult(new UploadResult(UploadResultKind.ConcatenationNotAppendable, info.State == UploadState.Receiving ? null : info.Offset));
        }

        if (info.State != UploadState.Receiving)
        {
            return await AppendToReceivedAsync(command, info, turn, cancellationToken);
        }

        return AppendValidator.CheckAgainstUpload(command, info, settings) is { } against ? new AppendStepResult(against) : (AppendStepResult?)null;
    }

    private bool CannotStage(AppendCommand command, UploadInfo? info) =>
        command.IsStaged
        && (store.GetCapability<IStagedAppendStore>() is not { } stages
            || (command.BodyLength ?? AppendValidator.GetRemainingCapacity(command, info, settings).Bytes) > stages.MaxStagedLength);

    /// <summary>An append to an upload that takes no more: an empty body at its end asks for the outcome.</summary>
    private async ValueTask<AppendStepResult> AppendToReceivedAsync(AppendCommand command, UploadInfo info, UploadLock turn, CancellationToken cancellationToken)
    {
        bool empty = command.BodyLength == 0
            || (command.BodyLength is null && command.Offset == info.Offset && await _emptyBodyDetector.IsEmptyAsync(command, turn));
        cancellationToken.ThrowIfCancellationRequested();
        return (empty, command.Offset == info.Offset) switch
        {
            (false, _) => new UploadResult(UploadResultKind.AlreadyComplete, info.Offset) { ProvidedOffset = command.Offset, UploadLength = info.Length },
            (true, false) => AppendValidator.OffsetMismatch(command, info.Offset, info.Length),
            (true, true) when command.UploadLength is { } stated && stated != info.Offset =>
                new UploadResult(UploadResultKind.LengthConflict, info.Offset) { UploadLength = info.Length },
            (true, true) => new AppendStepResult(null, info) { IsReplay = info.State == UploadState.Completed },
        };
    }

    /// <summary>Appends a body that nothing stands against.</summary>
    /// <param name="command">The append.</param>
    /// <param name="info">The upload.</param>
    /// <param name="data">What its record says.</param>
    /// <param name="turn">The turn that it holds.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="content">The body, where it was looked at already; else null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<AppendStepResult> AppendAsync(
        AppendCommand command,
        UploadInfo info,
        EngineRecord data,
        UploadLock turn,
        IUploadCallbacks callbacks,
        AppendContent? content,
        CancellationToken cancellationToken)
    {
        if (info.Length is null && command.KnownLength is { } length)
        {
            (UploadInfo? known, UploadResult? refusal) = await SetLengthAsync(length, info, cancellationToken);
            if (known is null)
            {
                return refusal!;
            }

            info = known;
        }

        (long room, UploadResultKind tooMuch) = AppendValidator.GetRemainingCapacity(command, info, settings);
        if (info.Length is null && await ledger.GetAvailableBytesAsync(command.Key.Owner, cancellationToken) is var left && left < room)
        {
            (room, tooMuch) = (left, UploadResultKind.OwnerQuotaExceeded);
        }

        if (command.BodyLength > room)
        {
            return new UploadResult(tooMuch, info.Offset) { UploadLength = info.Length, MaxUploadSize = AppendValidator.GetMaxUploadSize(command, settings), Expires = info.Expires };
        }

        long offset = info.Offset;
        long? total = info.Length;
        using AppendContent? own = content is null ? new AppendContent(command, total, turn, room, time, settings, stopping) : null;
        content ??= own!;
        content.Progress = CreateProgressReporter(command, info, data, callbacks);
        if (content.MustHashStoredBytes && await store.OpenReadAsync(info.Key, cancellationToken) is { } stored)
        {
            await using (stored)
            {
                await content.HashStoredBytesAsync(stored, cancellationToken);
            }
        }

        AppendResult result = await AppendToStoreAsync(command, content, turn);
        await content.WaitForProgressAsync();

        if (total is null)
        {
            ledger.AdjustBytes(command.Key.Owner, result.Offset - offset);
        }

        return result.Status switch
        {
            AppendStatus.Appended => await FinishAppendAsync(command, info, data, content, result, tooMuch, callbacks),
            AppendStatus.Discarded => content.DigestFailed
                ? new UploadResult(UploadResultKind.DigestMismatch, result.Offset) { UploadLength = total, IsDigestMissing = content.IsDigestMissing, Expires = info.Expires }
                : BuildResult(command, info, content.EndReason, result.Offset, total, tooMuch),
            AppendStatus.OffsetMismatch => AppendValidator.OffsetMismatch(command, result.Offset, total),
            AppendStatus.NotFound => new UploadResult(UploadResultKind.NotFound),
            AppendStatus.NotReceiving => new UploadResult(UploadResultKind.AlreadyComplete, result.Offset),
            _ => new UploadResult(UploadResultKind.Busy),
        };
    }

    /// <summary>Who is told how far it is. Bytes that do not count yet are no progress.</summary>
    private ProgressReporter? CreateProgressReporter(AppendCommand command, UploadInfo info, EngineRecord data, IUploadCallbacks callbacks) =>
        callbacks.HasProgressHandler && !command.IsStaged
            ? new ProgressReporter(callbacks, info.Key, data, info.Length, time, settings.ProgressInterval, logger)
            : null;

    private async ValueTask<AppendResult> AppendToStoreAsync(AppendCommand command, AppendContent content, UploadLock turn)
    {
        metrics.AppendStarted();
        long bytes = 0;
        try
        {
            turn.DurableOffset = command.Offset;
            using StopRegistration leaving = content.RegisterStop();
            AppendResult result = await store.AppendAsync(
                command.Key,
                command.Offset,
                content,
                command.IsStaged ? AppendMode.AllOrNothing : AppendMode.KeepPartial,
                content.GraceToken);
            bytes = result.Status == AppendStatus.Appended ? result.Offset - command.Offset : 0;
            return result;
        }
        catch (OperationCanceledException e) when (content.GraceToken.IsCancellationRequested)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"The store did not finish upload {command.Key} in time.", null, e);
        }
        finally
        {
            metrics.AppendFinished(bytes);
        }
    }

    private async ValueTask<(UploadInfo? Info, UploadResult? Refusal)> SetLengthAsync(
        long length, UploadInfo info, CancellationToken cancellationToken)
    {
        long more = length - info.Offset;
        if (!await ledger.TryReserveBytesAsync(info.Key.Owner, more, cancellationToken))
        {
            return (null, new UploadResult(UploadResultKind.OwnerQuotaExceeded, info.Offset));
        }

        UpdateResult update = default;
        try
        {
            update = await store
                .UpdateAsync(info.Key, info.Version, info.Record with { Length = length }, cancellationToken);
        }
        finally
        {
            if (update.Info is null)
            {
                ledger.AdjustBytes(info.Key.Owner, -more);
            }
        }

        return update.Info is not null ? (update.Info, null)
            : (null, new UploadResult(update.Status == ChangeStatus.NotFound ? UploadResultKind.NotFound : UploadResultKind.Busy));
    }

    private async ValueTask<AppendStepResult> FinishAppendAsync(
        AppendCommand command, UploadInfo info, EngineRecord data, AppendContent content, AppendResult result, UploadResultKind tooMuch, IUploadCallbacks callbacks)
    {
        if (data.Concatenation is { IsPart: true } || !AppendValidator.CompletesUpload(command.CompletionRule, content.EndReason, result.Offset, info.Length))
        {
            return BuildResult(command, info, content.EndReason, result.Offset, info.Length, tooMuch, isKept: true) with
            {
                IsCompletedPart = data is { Concatenation.IsPart: true } && result.Offset == info.Length,
            };
        }

        if (await wholeDigest.VerifyAsync(command, data) is not { } verified)
        {
            return new UploadResult(UploadResultKind.DigestMismatch, result.Offset) { UploadLength = info.Length, IsFinalDigestMismatch = true };
        }

        EngineRecord claimed = callbacks.HasCompletionHandler ? verified with { Handler = claims.StartAttempt(data.Handler) } : verified;
        bool ours = false;
        UploadInfo? received = await change.UpdateAsync(
            info with { Offset = result.Offset, Version = result.Version! },
            now =>
            {
                ours = now.State == UploadState.Receiving && now.Offset == result.Offset;
                return !ours ? null
                    : callbacks.HasCompletionHandler ? records.CreateReceived(claimed, now.Offset)
                    : records.CreateCompleted(claimed, now.Offset);
            },
            CancellationToken.None);
        if (received is null)
        {
            return new UploadResult(UploadResultKind.NotFound);
        }

        if (received.State == UploadState.Receiving)
        {
            return new UploadResult(UploadResultKind.Busy);
        }

        ledger.ReleaseUpload(info.Key.Owner, info.Length ?? result.Offset);
        return ours ? ReceivedResult(received, claimed, callbacks) : new AppendStepResult(null, received);
    }

    /// <summary>This request has brought the last byte, and has written so into the record.</summary>
    private AppendStepResult ReceivedResult(UploadInfo received, EngineRecord claimed, IUploadCallbacks callbacks)
    {
        Log.Received(logger, received.Key, received.Offset);
        return callbacks.HasCompletionHandler
            ? new AppendStepResult(null, received, claimed)
            : new UploadResult(UploadResultKind.Completed, received.Offset) { UploadLength = received.Length, ReprDigest = claimed.ComputedReprDigest };
    }

    private UploadResult BuildResult(
        AppendCommand command, UploadInfo info, BodyEndReason end, long offset, long? length, UploadResultKind tooMuch, bool isKept = false)
    {
        if (isKept && end != BodyEndReason.EndOfBody)
        {
            Log.AppendInterrupted(logger, info.Key, end, offset);
        }

        UploadResultKind kind = end switch
        {
            BodyEndReason.EndOfBody => command.CompletionRule == CompletionRule.AtFullBody ? UploadResultKind.LengthConflict : UploadResultKind.Appended,
            BodyEndReason.Preempted => UploadResultKind.Preempted,
            BodyEndReason.Shutdown => UploadResultKind.ShuttingDown,
            BodyEndReason.IdleTimeout => UploadResultKind.IdleTimeout,
            BodyEndReason.BelowMinDataRate => UploadResultKind.BelowMinDataRate,
            BodyEndReason.LimitExceeded => tooMuch,
            _ => UploadResultKind.Interrupted,
        };
        return new UploadResult(kind, offset)
        {
            UploadLength = length,
            MaxUploadSize = AppendValidator.GetMaxUploadSize(command, settings),
            Expires = records.GetExpirationAfterChange(info.Record),
        };
    }
}
