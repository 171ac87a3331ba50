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
    public async ValueTask DeadLetterAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks)
    {
        bool isReported;
        await using (new HandlerLeaseRenewer(context, info.Key, record with { Handler = leases.WithLease(record.Handler!) }))
        {
            isReported = await NotifyAsync(info, record, callbacks, context.Stopping);
        }

        await leases.UpdateIfLeasedAsync(info, record with { Handler = record.Handler! with { IsDeadLetterReported = isReported } });
    }

    /// <summary>Dead-letters an upload that is not leased.</summary>
    /// <returns>False if the upload has changed, so that it was not dead-lettered.</returns>
    public async ValueTask<bool> TryDeadLetterAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        HandlerState state = HandlerLeases.WithoutLease(record) with { IsDeadLettered = record.Handler is { IsDeadLettered: true } };
        EngineRecord leased = record with { Handler = leases.WithLease(state) };
        UpdateResult update = await context.Store.UpdateAsync(
            info.Key, info.Version, context.RecordPolicy.CreateReceived(leased, info.Offset), cancellationToken);
        if (update is not { Status: ChangeStatus.Succeeded, Info: { } current })
        {
            return false;
        }

        await DeadLetterAsync(current, record with { Handler = state }, callbacks);
        return true;
    }

    /// <summary>
    /// Notifies the application of a received upload that is about to expire and was not dead-lettered before, so that the application can still
    /// save the content.
    /// </summary>
    public async ValueTask NotifyBeforeExpirationAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (info.State == UploadState.Received && context.RecordPolicy.BelongsToThisEngine(info)
            && EngineRecord.From(info) is { Handler: not { IsDeadLetterReported: true } } record && !leases.IsLeased(record)
            && await context.Store.GetResponseAsync(info.Key, cancellationToken) is null)
        {
            await NotifyAsync(info, record, callbacks, cancellationToken);
        }
    }

    /// <returns>False if the notification was canceled.</returns>
    private async ValueTask<bool> NotifyAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        context.Metrics.DeadLettered();
        Log.DeadLettered(context.Logger, info.Key, record.Handler?.Attempts ?? 0);
        try
        {
            await callbacks.OnDeadLetteredAsync(info, record, cancellationToken);
            return true;
        }
        catch (Exception e)
        {
            Log.DeadLetterHandlerFailed(context.Logger, e, info.Key);
            return !cancellationToken.IsCancellationRequested;
        }
    }
}
