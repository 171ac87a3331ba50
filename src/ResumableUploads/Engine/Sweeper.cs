using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Owners;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine;

/// <summary>
/// Clears what has expired, runs handlers that nobody came back for, and lets the store clear what a crash left. One damaged or stubborn
/// upload does not keep it from the others.
/// </summary>
internal sealed class Sweeper(
    IUploadStore store,
    TurnTable turns,
    Records records,
    OwnerLedger ledger,
    Completions completions,
    Parking parking,
    Removal removal,
    Joins joins,
    IUploadCallbacks callbacks,
    EngineSettings settings,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Sweeps at once and then at every interval, until the token fires.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(settings.SweepInterval, time);
        try
        {
            do
            {
                try
                {
                    await SweepAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.SweepFailed(logger, e);
                }
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <summary>Goes over all uploads once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await VisitAsync(info, cancellationToken).ConfigureAwait(false);
            }
            catch (UploadStoreException e)
            {
                Log.Unreadable(logger, e, info.Key);
            }
        }

        ledger.ForgetIdle();
        if (store.GetCapability<ICleansUp>() is { } cleaner)
        {
            await cleaner.CleanUpAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        // Whoever holds the turn is alive: it decides, and the next sweep looks again.
        if (records.IsExpired(info))
        {
            if (!records.IsForsaken(info) && !records.IsOurs(info))
            {
                return;
            }

            using Turn? turn = turns.TryTake(info.Key);
            if (turn is not null)
            {
                await parking.ForsakeAsync(info, callbacks, cancellationToken).ConfigureAwait(false);
                await removal.ExpireAsync(info, callbacks, cancellationToken).ConfigureAwait(false);
            }
        }
        else if (info.State == UploadState.Receiving)
        {
            // After a restart this is how it is known what waits for what.
            if (UploadData.From(info) is { Join.IsPart: false } data && records.IsOurs(info))
            {
                joins.Waits(info, data);
                if (callbacks.HasHandler)
                {
                    await joins.TryJoinAsync(info.Key, waits: false, callbacks, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        else if (info.State == UploadState.Received && callbacks.HasHandler && records.IsOurs(info)
            && !completions.IsLeased(info) && !completions.IsSettled(UploadData.From(info)))
        {
            await completions.OutcomeAsync(info, callbacks, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
