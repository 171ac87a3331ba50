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

    public static implicit operator AppendStepResult(UploadResult result) => new(result);
}

/// <summary>The part of an append that happens under the turn.</summary>
internal sealed class Appender(
    IUploadStore store,
    RecordPolicy recordPolicy,
    RecordUpdater recordUpdater,
    OwnerQuota quota,
    SingleRequestUpload singleRequest,
    UploadCreator creator,
    ReprDigestVerifier reprDigestVerifier,
    UploadRemover remover,
    HandlerLeases leases,
    EngineSettings settings,
    UploadMetrics metrics,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping)
{
    private readonly EmptyBodyDetector _emptyBodyDetector = new(settings, time, stopping);

    public async ValueTask<AppendStepResult> ExecuteAsync(
        AppendCommand command, UploadInfo? info, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (stopping.IsCancellationRequested)
        {
            return new UploadResult(UploadResultKind.ShuttingDown, info?.Offset);
        }

        EngineRecord? record = info is null ? null : EngineRecord.From(info);
        if (info is not null && await CheckExistingUploadAsync(command, info, record!, uploadLock, cancellationToken) is { } settled)
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

        if (!quota.TryReserveAppend(command.Key.Owner))
        {
            return new UploadResult(UploadResultKind.TooManyAppends, info?.Offset ?? 0);
        }

        try
        {
            return info is null
                ? await CreateAndAppendAsync(command, command.CreateIfMissing!, uploadLock, callbacks, cancellationToken)
                : await AppendAsync(command, info, record!, uploadLock, callbacks, content: null, cancellationToken);
        }
        finally
        {
            quota.ReleaseAppend(command.Key.Owner);
        }
    }

    private async ValueTask<AppendStepResult> CreateAndAppendAsync(
        AppendCommand command, CreateCommand createCommand, UploadLock uploadLock, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        using AppendContent? content = singleRequest.CanCreate(command)
            ? new AppendContent(command, command.KnownLength, uploadLock, command.BodyLength!.Value, time, settings, stopping)
            : null;
        CreationResult creationResult = await creator.CreateAsync(command, createCommand, callbacks, content, cancellationToken);
        (UploadResult? result, UploadInfo? info, EngineRecord record) = creationResult;
        if (result is not null)
        {
            return result;
        }

        if (command.Observer is { } observer)
        {
            await observer.OnCreatedAsync(info!);
        }

        if (creationResult.IsCompleted)
        {
            content!.Progress = CreateProgressReporter(command, info!, record, callbacks);
            content.ReportDurable(info!.Offset);
            return ReceivedResult(info!, record, callbacks) with { IsCreated = true, ProgressReported = content.WaitForProgressAsync() };
        }

        AppendStepResult stepResult;
        try
        {
            // Another process may have made it meanwhile, and have gone on with it.
            stepResult = await CheckExistingUploadAsync(command, info!, record, uploadLock, cancellationToken)
                ?? await AppendAsync(command, info!, record, uploadLock, callbacks, content, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e, e.Failure, command.Key, e.DurableOffset);
            stepResult = UploadResult.FromException(e);
        }

        if (stepResult.Result is { Kind: UploadResultKind.DigestMismatch, IsFinalDigestMismatch: false })
        {
            await RemoveIfEmptyAsync(command.Key);
            return stepResult;
        }

        return stepResult with { IsCreated = true };
    }

    /// <summary>Nothing counts of a first request that is not what its digest says, and neither does what it said about the upload.</summary>
    private async ValueTask RemoveIfEmptyAsync(UploadKey key)
    {
        if (await store.GetAsync(key, CancellationToken.None) is { Offset: 0, State: UploadState.Receiving } empty)
        {
            await remover.RemoveAsync(empty, ignoreVersion: false, CancellationToken.None);
        }
    }

    /// <summary>What there is to say without a byte of the body; null: nothing against the append.</summary>
    private async ValueTask<AppendStepResult?> CheckExistingUploadAsync(
        AppendCommand command, UploadInfo info, EngineRecord record, UploadLock uploadLock, CancellationToken cancellationToken)
    {
        if (record.Concatenation is { IsPart: false })
        {
            return new AppendStepResult(new UploadResult(UploadResultKind.ConcatenationNotAppendable, info.State == UploadState.Receiving ? null : info.Offset));
        }

        if (info.State != UploadState.Receiving)
        {
            return await AppendToReceivedAsync(command, info, uploadLock, cancellationToken);
        }

        return AppendValidator.CheckAgainstUpload(command, info, settings) is { } result ? new AppendStepResult(result) : (AppendStepResult?)null;
    }

    private bool CannotStage(AppendCommand command, UploadInfo? info) =>
        command.IsStaged
        && (store.GetCapability<IStagedAppendStore>() is not { } stages
            || (command.BodyLength ?? AppendValidator.GetRemainingCapacity(command, info, settings).Bytes) > stages.MaxStagedLength);

    /// <summary>An append to an upload that takes no more: an empty body at its end asks for the outcome.</summary>
    private async ValueTask<AppendStepResult> AppendToReceivedAsync(AppendCommand command, UploadInfo info, UploadLock uploadLock, CancellationToken cancellationToken)
    {
        bool empty = command.BodyLength == 0
            || (command.BodyLength is null && command.Offset == info.Offset && await _emptyBodyDetector.IsEmptyAsync(command, uploadLock));
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
    /// <param name="record">What its record says.</param>
    /// <param name="uploadLock">The turn that it holds.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="content">The body, where it was looked at already; else null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<AppendStepResult> AppendAsync(
        AppendCommand command,
        UploadInfo info,
        EngineRecord record,
        UploadLock uploadLock,
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
        if (info.Length is null && await quota.GetAvailableBytesAsync(command.Key.Owner, cancellationToken) is var left && left < room)
        {
            (room, tooMuch) = (left, UploadResultKind.OwnerQuotaExceeded);
        }

        if (command.BodyLength > room)
        {
            return new UploadResult(tooMuch, info.Offset) { UploadLength = info.Length, MaxUploadSize = AppendValidator.GetMaxUploadSize(command, settings), Expires = info.Expires };
        }

        long offset = info.Offset;
        long? total = info.Length;
        using AppendContent? own = content is null ? new AppendContent(command, total, uploadLock, room, time, settings, stopping) : null;
        content ??= own!;
        content.Progress = CreateProgressReporter(command, info, record, callbacks);
        if (content.MustHashStoredBytes && await store.OpenReadAsync(info.Key, cancellationToken) is { } stored)
        {
            await using (stored)
            {
                await content.HashStoredBytesAsync(stored, cancellationToken);
            }
        }

        AppendResult result = await AppendToStoreAsync(command, content, uploadLock);
        await content.WaitForProgressAsync();

        if (total is null)
        {
            quota.AdjustBytes(command.Key.Owner, result.Offset - offset);
        }

        return result.Status switch
        {
            AppendStatus.Appended => await FinishAppendAsync(command, info, record, content, result, tooMuch, callbacks),
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
    private ProgressReporter? CreateProgressReporter(AppendCommand command, UploadInfo info, EngineRecord record, IUploadCallbacks callbacks) =>
        callbacks.HasProgressHandler && !command.IsStaged
            ? new ProgressReporter(callbacks, info.Key, record, info.Length, time, settings.ProgressInterval, logger)
            : null;

    private async ValueTask<AppendResult> AppendToStoreAsync(AppendCommand command, AppendContent content, UploadLock uploadLock)
    {
        metrics.AppendStarted();
        long bytes = 0;
        try
        {
            uploadLock.DurableOffset = command.Offset;
            using StopRegistration stopRegistration = content.RegisterStop();
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
        if (!await quota.TryReserveBytesAsync(info.Key.Owner, more, cancellationToken))
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
                quota.AdjustBytes(info.Key.Owner, -more);
            }
        }

        return update.Info is not null ? (update.Info, null)
            : (null, new UploadResult(update.Status == ChangeStatus.NotFound ? UploadResultKind.NotFound : UploadResultKind.Busy));
    }

    private async ValueTask<AppendStepResult> FinishAppendAsync(
        AppendCommand command, UploadInfo info, EngineRecord record, AppendContent content, AppendResult result, UploadResultKind tooMuch, IUploadCallbacks callbacks)
    {
        if (record.Concatenation is { IsPart: true } || !AppendValidator.CompletesUpload(command.CompletionRule, content.EndReason, result.Offset, info.Length))
        {
            return BuildResult(command, info, content.EndReason, result.Offset, info.Length, tooMuch, isKept: true) with
            {
                IsCompletedPart = record is { Concatenation.IsPart: true } && result.Offset == info.Length,
            };
        }

        if (await reprDigestVerifier.VerifyAsync(command, record) is not { } verified)
        {
            return new UploadResult(UploadResultKind.DigestMismatch, result.Offset) { UploadLength = info.Length, IsFinalDigestMismatch = true };
        }

        EngineRecord claimed = callbacks.HasCompletionHandler ? verified with { Handler = leases.StartAttempt(record.Handler) } : verified;
        bool ours = false;
        UploadInfo? received = await recordUpdater.UpdateAsync(
            info with { Offset = result.Offset, Version = result.Version! },
            now =>
            {
                ours = now.State == UploadState.Receiving && now.Offset == result.Offset;
                return !ours ? null
                    : callbacks.HasCompletionHandler ? recordPolicy.CreateReceived(claimed, now.Offset)
                    : recordPolicy.CreateCompleted(claimed, now.Offset);
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

        quota.ReleaseUpload(info.Key.Owner, info.Length ?? result.Offset);
        return ours ? ReceivedResult(received, claimed, callbacks) : new AppendStepResult(null, received);
    }

    /// <summary>This request has brought the last byte, and has written so into the record.</summary>
    private AppendStepResult ReceivedResult(UploadInfo received, EngineRecord record, IUploadCallbacks callbacks)
    {
        Log.Received(logger, received.Key, received.Offset);
        return callbacks.HasCompletionHandler
            ? new AppendStepResult(null, received, record)
            : new UploadResult(UploadResultKind.Completed, received.Offset) { UploadLength = received.Length, ReprDigest = record.ComputedReprDigest };
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
            Expires = recordPolicy.GetExpirationAfterChange(info.Record),
        };
    }
}
