using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Gives up uploads whose bytes are all there and whose handler does not succeed. The application hears of each, also where the last attempt
/// ended with its process: the record says whether it has.
/// </summary>
internal sealed class DeadLetterService(
    IUploadStore store, RecordPolicy recordPolicy, HandlerLeases leases, EngineSettings settings, UploadMetrics metrics, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    /// <summary>Gives up an upload that the caller holds. Where the process dies before the record says that it is told, it is told again.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">What its record is to say in the end, held by nobody.</param>
    /// <param name="callbacks">The application.</param>
    public async ValueTask DeadLetterAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks)
    {
        bool isTold;
        await using (new HandlerLeaseRenewer(store, recordPolicy, settings, time, info.Key, record with { Handler = leases.WithLease(record.Handler!) }))
        {
            isTold = await NotifyAsync(info, record, callbacks, stopping);
        }

        await leases.UpdateIfLeasedAsync(info, record with { Handler = record.Handler! with { IsDeadLetterReported = isTold } });
    }

    /// <summary>Gives up an upload that nobody holds; false where somebody else is about it.</summary>
    public async ValueTask<bool> TryDeadLetterAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        HandlerState state = HandlerLeases.WithoutLease(record) with { IsDeadLettered = record.Handler is { IsDeadLettered: true } };
        UpdateResult update = await store
            .UpdateAsync(info.Key, info.Version, recordPolicy.CreateReceived(record with { Handler = leases.WithLease(state) }, info.Offset), cancellationToken);
        if (update is not { Status: ChangeStatus.Succeeded, Info: { } current })
        {
            return false;
        }

        await DeadLetterAsync(current, record with { Handler = state }, callbacks);
        return true;
    }

    /// <summary>
    /// An upload is about to be removed. If all its bytes came and nobody came back for the rest, the application hears of it, and may still
    /// save the content.
    /// </summary>
    public async ValueTask NotifyBeforeExpirationAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (info.State == UploadState.Received && recordPolicy.BelongsToThisEngine(info)
            && EngineRecord.From(info) is { Handler: not { IsDeadLetterReported: true } } record && !leases.IsLeased(record)
            && await store.GetResponseAsync(info.Key, cancellationToken) is null)
        {
            await NotifyAsync(info, record, callbacks, cancellationToken);
        }
    }

    /// <summary>Tells whoever listens; false where the server stopped meanwhile.</summary>
    private async ValueTask<bool> NotifyAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        metrics.DeadLettered();
        Log.DeadLettered(logger, info.Key, record.Handler?.Attempts ?? 0);
        try
        {
            await callbacks.OnDeadLetteredAsync(info, record, cancellationToken);
            return true;
        }
        catch (Exception e)
        {
            Log.DeadLetterHandlerFailed(logger, e, info.Key);
            return !cancellationToken.IsCancellationRequested;
        }
    }
}
