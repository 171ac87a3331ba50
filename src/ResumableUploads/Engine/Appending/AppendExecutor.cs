using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>Appends a body that has passed all checks to an upload that exists.</summary>
internal sealed class AppendExecutor(EngineContext context, AppendFinisher finisher)
{
    private readonly AnnouncementRecorder _announcements = new(context);

    /// <param name="append">The request.</param>
    /// <param name="info">The upload as it is under the lock.</param>
    /// <param name="record">The engine's data in its record.</param>
    /// <param name="content">The body, if some of it has been buffered already; otherwise null.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<AppendStep> AppendAsync(
        LockedAppend append, UploadInfo info, EngineRecord record, AppendContent? content, CancellationToken cancellationToken)
    {
        AppendCommand command = append.Command;

        // A part that is received already does not start its concatenations again.
        bool isOpen = info.Offset != info.Length;
        (info, record, UploadResult? failure) = await _announcements.RecordAsync(command, info, record, cancellationToken);
        if (failure is not null)
        {
            return failure;
        }

        (long capacity, UploadResultKind exceededKind) = AppendValidator.GetRemainingCapacity(command, info, context.Settings);
        if (command.BodyLength > capacity)
        {
            return new UploadResult(exceededKind, info.Offset)
            {
                UploadLength = info.Length,
                MaxUploadSize = AppendValidator.GetMaxUploadSize(command, context.Settings),
                Expires = info.Expires,
            };
        }

        // The quota of an upload of known length is already reserved. The upload that the request replaces exists until the body is accepted.
        UploadInfo? replaced = append.AcceptAsync is null ? null : command.Replaces;
        (QuotaReservation? reservation, _) = info.Length is null
            ? await context.Quota.ReserveBytesAsync(new QuotaTarget(info.Key, QuotaAccount.From(info.Key, record)) { Stored = QuotaUsage.Of(info), Replaced = replaced }, command.BodyLength ?? 0, cancellationToken)
            : default;
        if (info.Length is null && reservation is null)
        {
            return CreateResult(command, info, UploadResultKind.OwnerQuotaExceeded, info.Offset);
        }

        using AppendContent? ownContent = content is null ? CreateContent(append, info.Length, capacity) : null;
        content ??= ownContent!;
        content.Progress = CreateProgressReporter(append, info, record);
        content.Reservation = reservation;
        content.CheckedRecord = info.Record;
        FinishAttempt? finish = null;
        content.FinalRecordFactory = offset => append.AcceptAsync is null && CompletesUpload(append, info, record, content.EndReason, offset)
            ? (finish = finisher.TryStartAttempt(append, info.Key, record, offset))?.Final
            : null;
        AppendResult result;
        try
        {
            result = await AppendReservedAsync(append, info, record, content, cancellationToken);
        }
        catch (UploadStoreException) when (finish is not null)
        {
            // The upload may be finished nevertheless.
            context.Quota.Invalidate(info.Key.Owner);
            throw;
        }
        finally
        {
            // The event uses the services of the request, which end with it.
            await content.WaitForProgressAsync();
        }

        if (append.AcceptAsync is { } acceptAsync && result.Status == AppendStatus.Appended)
        {
            if (content.EndReason is BodyEndReason.LimitExceeded or BodyEndReason.QuotaExceeded || result.Offset == 0)
            {
                return CreateResult(command, info, GetResultKind(command, content.EndReason, exceededKind), result.Offset);
            }

            if (await acceptAsync(info with { Offset = result.Offset, Version = result.Version! }) is not { } accepted)
            {
                return new UploadResult(UploadResultKind.Busy);
            }

            info = accepted;
            result = new AppendResult(AppendStatus.Appended, accepted.Offset, accepted.Version);
            content.IsProvisional = false;
            content.ReportDurable(accepted.Offset);
            await content.WaitForProgressAsync();
        }

        switch (result.Status)
        {
            case AppendStatus.Appended when result.Updated is { } received && finish is not null:
                return finisher.Finish(append.Callbacks, info with { Offset = result.Offset }, finish, received);
            case AppendStatus.Appended:
                info = info with { Offset = result.Offset, Version = result.Version! };
                if (CompletesUpload(append, info, record, content.EndReason, info.Offset))
                {
                    return await finisher.FinishAsync(append, info, record, cancellationToken);
                }

                UploadResult unfinished = GetUnfinishedResult(command, info, content.EndReason, exceededKind);
                return isOpen && record.Concatenation is { IsPart: true } && info.Offset == info.Length ? new AppendStep.PartReceived(unfinished) : unfinished;
            case AppendStatus.Discarded when content.DigestFailed:
                return new UploadResult(content.IsDigestMissing ? UploadResultKind.DigestMissing : UploadResultKind.DigestMismatch, result.Offset)
                {
                    UploadLength = info.Length,
                    Expires = info.Expires,
                };
            case AppendStatus.Discarded:
                return CreateResult(command, info, GetResultKind(command, content.EndReason, exceededKind), result.Offset);
            case AppendStatus.TakenOver:
                return CreateResult(command, info, UploadResultKind.Preempted, result.Offset);
            case AppendStatus.OffsetMismatch:
                return AppendValidator.OffsetMismatch(command, result.Offset, info.Length);
            case AppendStatus.NotFound:
                return new UploadResult(UploadResultKind.NotFound);
            case AppendStatus.NotReceiving:
                return new UploadResult(UploadResultKind.AlreadyComplete, result.Offset);
            default:
                return new UploadResult(UploadResultKind.Busy);
        }
    }

    /// <summary>Returns the result of an append whose body is empty, without a call of the store.</summary>
    /// <inheritdoc cref="AppendAsync" path="/param"/>
    public ValueTask<AppendStep> AppendEmptyAsync(LockedAppend append, UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        CompletesUpload(append, info, record, BodyEndReason.EndOfBody, info.Offset)
            ? finisher.FinishAsync(append, info, record, cancellationToken)
            : ValueTask.FromResult<AppendStep>(GetUnfinishedResult(append.Command, info, BodyEndReason.EndOfBody, UploadResultKind.LengthExceeded));

    /// <summary>Wraps the body of a request for the store.</summary>
    /// <param name="append">The request.</param>
    /// <param name="uploadLength">The length of the upload, or null if it is unknown.</param>
    /// <param name="capacity">The maximum number of bytes to accept.</param>
    public AppendContent CreateContent(LockedAppend append, long? uploadLength, long capacity) =>
        new(append.Command, uploadLength, append.Lock, capacity, context.Time, context.Settings, context.Stopping)
        {
            IsProvisional = append.AcceptAsync is not null,
        };

    /// <summary>Creates the progress reporter, or returns null. Staged bytes may still be discarded, so they are not reported.</summary>
    public ProgressReporter? CreateProgressReporter(LockedAppend append, UploadInfo info, EngineRecord record) =>
        append.Callbacks.HasProgressHandler && !append.Command.IsStaged
            ? new ProgressReporter(append.Callbacks, append.Command.Key, record, info.Length, context.Time, context.Settings.ProgressInterval, context.Logger)
            : null;

    /// <summary>Returns the result of an append that does not complete the upload.</summary>
    private UploadResult GetUnfinishedResult(AppendCommand command, UploadInfo info, BodyEndReason endReason, UploadResultKind exceededKind)
    {
        if (endReason != BodyEndReason.EndOfBody)
        {
            Log.AppendInterrupted(context.Logger, info.Key, endReason, info.Offset);
        }

        return CreateResult(command, info, GetResultKind(command, endReason, exceededKind), info.Offset);
    }

    /// <summary>Returns whether an upload with this offset has all its bytes and is no part of a concatenation.</summary>
    private static bool CompletesUpload(LockedAppend append, UploadInfo info, EngineRecord record, BodyEndReason endReason, long offset) =>
        record.Concatenation is not { IsPart: true } && AppendValidator.CompletesUpload(append.Command.CompletionRule, endReason, offset, info.Length);

    /// <summary>Appends the content, and releases the part of its reservation that is not used.</summary>
    private async ValueTask<AppendResult> AppendReservedAsync(
        LockedAppend append, UploadInfo info, EngineRecord record, AppendContent content, CancellationToken cancellationToken)
    {
        long? storedBytes = 0;
        try
        {
            if (content.StoredBytesAlgorithm is { } algorithm)
            {
                content.SetStoredHash(await context.ContentHasher.HashAsync(info.Key, record.Created, algorithm, info.Offset, cancellationToken));
            }

            storedBytes = null;
            AppendResult result = await AppendToStoreAsync(append, info.Key, content, cancellationToken);

            // Another process appends. An append at an offset that it has passed is stale, and does not disturb it.
            if (result.Status == AppendStatus.Busy && append.Command.Offset < result.Offset)
            {
                result = result with { Status = AppendStatus.OffsetMismatch };
            }

            if (result.Status == AppendStatus.Busy
                && await context.Takeover.TakeOverAsync(info, cancellationToken) != TakeoverStatus.StillAppending)
            {
                result = await AppendToStoreAsync(append, info.Key, content, cancellationToken);
            }

            storedBytes = result.Status == AppendStatus.Appended ? result.Offset - info.Offset : 0;
            return result;
        }
        catch (UploadStoreException e)
        {
            storedBytes ??= e.DurableOffset - info.Offset;
            throw;
        }
        finally
        {
            if (content.Reservation is { } reservation)
            {
                await reservation.SettleAsync(storedBytes is { } bytes ? new QuotaUsage(0, bytes) : null);
            }
        }
    }

    private UploadResult CreateResult(AppendCommand command, UploadInfo info, UploadResultKind kind, long offset) => new(kind, offset)
    {
        UploadLength = info.Length,
        MaxUploadSize = AppendValidator.GetMaxUploadSize(command, context.Settings),
        Expires = context.RecordPolicy.GetExpirationAfterChange(info.Record),
    };

    private async ValueTask<AppendResult> AppendToStoreAsync(LockedAppend append, UploadKey key, AppendContent content, CancellationToken cancellationToken)
    {
        AppendCommand command = append.Command;
        bool isCounted = context.Lifecycle.AppendStarted(command);
        long bytes = 0;
        try
        {
            append.Lock.DurableOffset = command.Offset;
            using StopRegistration stopRegistration = content.RegisterStop();

            // After the end of the body, the grace period of the request ends the wait for a store that hangs. A concatenation does not depend on a request.
            using CancellationTokenRegistration abandonment = append.Lock.CannotBePreempted
                ? default
                : cancellationToken.UnsafeRegister(static content => ((AppendContent)content!).Abandon(), content);
            AppendResult result = await context.Store.AppendAsync(
                key,
                command.Offset,
                content,
                command.IsStaged ? AppendMode.AllOrNothing : AppendMode.KeepPartial,
                content.GraceToken);
            bytes = result.Status == AppendStatus.Appended ? result.Offset - command.Offset : 0;
            return result;
        }
        catch (OperationCanceledException e) when (content.GraceToken.IsCancellationRequested)
        {
            throw new UploadStoreException(
                StoreFailure.Unavailable, $"The store did not finish the append to upload {command.Key} within the grace period.", null, e);
        }
        finally
        {
            context.Metrics.AppendFinished(command.Origin, isCounted, bytes);
        }
    }

    private static UploadResultKind GetResultKind(AppendCommand command, BodyEndReason endReason, UploadResultKind exceededKind) => endReason switch
    {
        BodyEndReason.EndOfBody => command.CompletionRule == CompletionRule.AtFullBody ? UploadResultKind.LengthConflict : UploadResultKind.Appended,
        BodyEndReason.Preempted => UploadResultKind.Preempted,
        BodyEndReason.Shutdown => UploadResultKind.ShuttingDown,
        BodyEndReason.IdleTimeout => UploadResultKind.IdleTimeout,
        BodyEndReason.BelowMinDataRate => UploadResultKind.BelowMinDataRate,
        BodyEndReason.LimitExceeded => exceededKind,
        BodyEndReason.QuotaExceeded => UploadResultKind.OwnerQuotaExceeded,
        _ => UploadResultKind.Interrupted,
    };
}
