using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Dead-letters received uploads whose completion handler failed too often, and notifies the application of each. The record stores whether the
/// application was notified, so that the notification is repeated after a crash.
/// </summary>
internal sealed class DeadLetterService(EngineContext context, HandlerLeases leases)
{
    /// <summary>Dead-letters an upload on which this process holds the lease.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">The engine's data to write after the notification, without a lease.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="isClientFault">Whether the client caused it.</param>
    /// <returns>The upload after the notification, or null if that did not succeed or another process has the lease.</returns>
    public async ValueTask<UploadInfo?> DeadLetterAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, bool isClientFault = false)
    {
        isClientFault |= record.Handler is { IsClientFault: true };
        Notification notification;
        await using (var lease = new HandlerLeaseRenewer(context, info, record with { Handler = leases.WithLease(record.Handler!) }))
        {
            notification = await NotifyAsync(info, record, callbacks, isClientFault, lease.HandlerToken);
        }

        HandlerState state = notification == Notification.Failed
            ? leases.AfterFailedNotification(record.Handler!)
            : record.Handler! with { IsDeadLetterReported = notification == Notification.Succeeded };
        state = state with { IsClientFault = isClientFault ? true : state.IsClientFault };
        UploadInfo? written = await leases.UpdateIfLeasedAsync(info, record with { Handler = state });
        return notification == Notification.Succeeded ? written : null;
    }

    /// <summary>Dead-letters an upload that is not leased.</summary>
    /// <returns>False if the upload has changed, so that it was not dead-lettered.</returns>
    public async ValueTask<bool> TryDeadLetterAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        HandlerState state = HandlerLeases.WithoutLease(record) with
        {
            IsDeadLettered = record.Handler is { IsDeadLettered: true },
            DeadLetterAttempts = record.Handler?.DeadLetterAttempts,
        };
        EngineRecord leased = record with { Handler = leases.WithLease(state) };
        UpdateResult update = await context.Store.UpdateAsync(
            info.Key, info.Version, info.Record with { Data = leased.ToBytes() }, cancellationToken);
        if (update is not { Status: ChangeStatus.Succeeded, Info: { } current })
        {
            return false;
        }

        await DeadLetterAsync(current, record with { Handler = state }, callbacks);
        return true;
    }

    /// <summary>Returns whether the handler of an upload of this engine must not run again. False during its last attempt.</summary>
    /// <exception cref="UploadStoreException">The record is damaged, or was written by a newer version.</exception>
    public bool HasExhaustedHandler(UploadInfo info) =>
        info.State == UploadState.Received && context.RecordPolicy.BelongsToThisEngine(info)
        && EngineRecord.From(info) is var record && leases.IsExhausted(record) && !leases.IsLeased(info, record);

    /// <summary>Gives the handler of a received upload all its attempts again.</summary>
    /// <returns>The upload, or null if it is not a received upload of this engine that was created at that time, has expired, or its handler is running.</returns>
    public async ValueTask<UploadInfo?> ResetAttemptsAsync(UploadKey key, DateTimeOffset? created, CancellationToken cancellationToken)
    {
        if (await context.Store.GetAsync(key, cancellationToken) is not { State: UploadState.Received } info
            || !context.RecordPolicy.BelongsToThisEngine(info) || IsExpired(info, EngineRecord.From(info)))
        {
            return null;
        }

        bool isReset = false;
        UploadInfo? written = await context.RecordUpdater.UpdateAsync(
            info,
            current =>
            {
                EngineRecord record = EngineRecord.From(current);
                isReset = current.State == UploadState.Received && (created is null || record.Created == created) && !leases.IsLeased(current, record) && !IsExpired(current, record);
                HandlerState state = new(0, null, record.Handler?.TotalRuns ?? 0);
                return isReset ? context.RecordPolicy.CreateReceived(record with { Handler = state }, current.Offset) : null;
            },
            cancellationToken);
        return isReset ? written : null;
    }

    /// <summary>
    /// Notifies the application of a received upload that is about to expire and was not dead-lettered before, so that the application can still
    /// save the content. A lease in the record ensures that only one process does so. A failed notification is repeated with increasing delays for about a
    /// day, however long ago the upload has expired.
    /// </summary>
    /// <returns>
    /// The upload to remove, or null if it must not be removed yet, because its handler or the notification runs in another process, or the notification was
    /// canceled, failed or is to be repeated later, or the engine of another endpoint notifies the application.
    /// </returns>
    public async ValueTask<UploadInfo?> NotifyBeforeExpirationAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (info.State == UploadState.Received && !context.RecordPolicy.BelongsToThisEngine(info))
        {
            return context.RecordPolicy.IsOrphaned(info) ? info : null;
        }

        if (info.State != UploadState.Received || EngineRecord.From(info) is not { Handler: not { IsDeadLetterReported: true } } record)
        {
            return info;
        }

        bool hasStarted = RecordPolicy.IsExpiring(info);
        if (hasStarted && HandlerLeases.IsNotificationExhausted(record))
        {
            return info;
        }

        if (leases.IsLeased(info, record) || (hasStarted && leases.IsRetryPending(record)))
        {
            return null;
        }

        // Attempts before the expiration do not count: the application may be available again.
        int? attempts = record.Handler?.DeadLetterAttempts;
        HandlerState state = HandlerLeases.WithoutLease(record) with { IsDeadLettered = true, DeadLetterAttempts = hasStarted || attempts is null ? attempts : 0 };
        UpdateResult claim;
        try
        {
            claim = await context.Store.UpdateAsync(
                info.Key, info.Version, context.RecordPolicy.CreateExpiring(record with { Handler = leases.WithLease(state) }, info), cancellationToken);
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Full)
        {
            // The removal of the upload frees space, so it must not wait for space.
            return await NotifyAsync(info, record with { Handler = state }, callbacks, isClientFault: false, cancellationToken) == Notification.Succeeded ? info : null;
        }

        return claim is { Status: ChangeStatus.Succeeded, Info: { } current }
            ? await DeadLetterAsync(current, record with { Handler = state }, callbacks)
            : null;
    }

    private bool IsExpired(UploadInfo info, EngineRecord record) => context.RecordPolicy.IsExpired(info) && !context.RecordPolicy.HasBackgroundAttempts(record);

    private async ValueTask<Notification> NotifyAsync(
        UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, bool isClientFault, CancellationToken cancellationToken)
    {
        if (record.Handler is not { DeadLetterAttempts: not null })
        {
            context.Lifecycle.DeadLettered(info, record, isClientFault);
        }

        try
        {
            await callbacks.OnDeadLetteredAsync(info, record, cancellationToken);
            return Notification.Succeeded;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || context.Stopping.IsCancellationRequested)
        {
            return Notification.Canceled;
        }
        catch (Exception e)
        {
            Log.DeadLetterHandlerFailed(context.Logger, e, info.Key);
            return Notification.Failed;
        }
    }

    private enum Notification
    {
        Succeeded,
        Canceled,
        Failed,
    }
}
