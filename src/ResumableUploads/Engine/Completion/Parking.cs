using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Gives up uploads whose bytes are all there and whose handler does not succeed. The application hears of each, also where the last attempt
/// ended with its process: the record says whether it has.
/// </summary>
internal sealed class Parking(
    IUploadStore store, Records records, HandlerClaims claims, EngineSettings settings, UploadMetrics metrics, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    /// <summary>Gives up an upload that the caller holds. Where the process dies before the record says that it is told, it is told again.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="data">What its record is to say in the end, held by nobody.</param>
    /// <param name="callbacks">The application.</param>
    public async ValueTask ParkAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks)
    {
        bool isTold;
        await using (new HandlerLease(store, records, settings, time, info.Key, data with { Handler = claims.Hold(data.Handler!) }).ConfigureAwait(false))
        {
            isTold = await TellAsync(info, data, callbacks, stopping).ConfigureAwait(false);
        }

        await claims.WriteAsync(info, data with { Handler = data.Handler! with { IsTold = isTold } }).ConfigureAwait(false);
    }

    /// <summary>Gives up an upload that nobody holds; false where somebody else is about it.</summary>
    public async ValueTask<bool> TryParkAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        HandlerState state = HandlerClaims.Release(data) with { IsParked = data.Handler is { IsParked: true } };
        UpdateResult update = await store
            .UpdateAsync(info.Key, info.Version, records.Received(data with { Handler = claims.Hold(state) }, info.Offset), cancellationToken).ConfigureAwait(false);
        if (update is not { Status: ChangeStatus.Done, Info: { } current })
        {
            return false;
        }

        await ParkAsync(current, data with { Handler = state }, callbacks).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// An upload is about to be removed. If all its bytes came and nobody came back for the rest, the application hears of it, and may still
    /// save the content.
    /// </summary>
    public async ValueTask ForsakeAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (info.State == UploadState.Received && records.IsOurs(info)
            && UploadData.From(info) is { Handler: not { IsTold: true } } data && !claims.IsHeld(data)
            && await store.GetOutcomeAsync(info.Key, cancellationToken).ConfigureAwait(false) is null)
        {
            await TellAsync(info, data, callbacks, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Tells whoever listens; false where the server stopped meanwhile.</summary>
    private async ValueTask<bool> TellAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        metrics.Parked();
        Log.Parked(logger, info.Key, data.Handler?.Attempts ?? 0);
        try
        {
            await callbacks.ParkedAsync(info, data, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
        {
            Log.ParkedHandlerFailed(logger, e, info.Key);
            return !cancellationToken.IsCancellationRequested;
        }
    }
}
