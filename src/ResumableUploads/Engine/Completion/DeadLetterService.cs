using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Gives up uploads whose bytes are all there and whose handler does not succeed. The application hears of each, also where the last attempt
/// ended with its process: the record says whether it has.
/// </summary>
internal sealed class DeadLetterService(
    IUploadStore store, RecordPolicy records, HandlerLeases claims, EngineSettings settings, UploadMetrics metrics, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    /// <summary>Gives up an upload that the caller holds. Where the process dies before the record says that it is told, it is told again.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="data">What its record is to say in the end, held by nobody.</param>
    /// <param name="callbacks">The application.</param>
    public async ValueTask DeadLetterAsync(UploadInfo info, EngineRecord data, IUploadCallbacks callbacks)
    {
        bool isTold;
        await using (new HandlerLeaseRenewer(store, records, settings, time, info.Key, data with { Handler = claims.WithLease(data.Handler!) }))
        {
            isTold = await NotifyAsync(info, data, callbacks, stopping);
        }

        await claims.UpdateIfLeasedAsync(info, data with { Handler = data.Handler! with { IsDeadLetterReported = isTold } });
    }

    /// <summary>Gives up an upload that nobody holds; false where somebody else is about it.</summary>
    public async ValueTask<bool> TryDeadLetterAsync(UploadInfo info, EngineRecord data, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        HandlerState state = HandlerLeases.WithoutLease(data) with { IsDeadLettered = data.Handler is { IsDeadLettered: true } };
        UpdateResult update = await store
            .UpdateAsync(info.Key, info.Version, records.CreateReceived(data with { Handler = claims.WithLease(state) }, info.Offset), cancellationToken);
        if (update is not { Status: ChangeStatus.Succeeded, Info: { } current })
        {
            return false;
        }

        await DeadLetterAsync(current, data with { Handler = state }, callbacks);
        return true;
    }

    /// <summary>
    /// An upload is about to be removed. If all its bytes came and nobody came back for the rest, the application hears of it, and may still
    /// save the content.
    /// </summary>
    public async ValueTask NotifyBeforeExpirationAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (info.State == UploadState.Received && records.BelongsToThisEngine(info)
            && EngineRecord.From(info) is { Handler: not { IsDeadLetterReported: true } } data && !claims.IsLeased(data)
            && await store.GetResponseAsync(info.Key, cancellationToken) is null)
        {
            await NotifyAsync(info, data, callbacks, cancellationToken);
        }
    }

    /// <summary>Tells whoever listens; false where the server stopped meanwhile.</summary>
    private async ValueTask<bool> NotifyAsync(UploadInfo info, EngineRecord data, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        metrics.DeadLettered();
        Log.DeadLettered(logger, info.Key, data.Handler?.Attempts ?? 0);
        try
        {
            await callbacks.OnDeadLetteredAsync(info, data, cancellationToken);
            return true;
        }
        catch (Exception e)
        {
            Log.DeadLetterHandlerFailed(logger, e, info.Key);
            return !cancellationToken.IsCancellationRequested;
        }
    }
}
