using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Owners;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine.Sweeping;

/// <summary>What one set of options has to do at each upload: clear what has expired, and run handlers that nobody came back for.</summary>
internal sealed class SweepVisitor(
    TurnTable turns,
    Records records,
    OwnerLedger ledger,
    Completions completions,
    Parking parking,
    Removal removal,
    Joins joins,
    IUploadCallbacks callbacks,
    EngineSettings settings,
    TimeProvider time) : ISweepVisitor
{
    public TimeSpan Interval => settings.SweepInterval;

    public async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
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
            if (UploadData.IsJoined(info) && records.IsOurs(info))
            {
                joins.Waits(info, UploadData.From(info));
                if (callbacks.HasHandler)
                {
                    await joins.TryJoinAsync(info.Key, waits: false, callbacks, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        else if (info.State == UploadState.Received && callbacks.HasHandler && records.IsOurs(info)
            && !completions.IsLeased(info) && !completions.IsSettled(UploadData.From(info)))
        {
            await RunHandlerAsync(info, cancellationToken).ConfigureAwait(false);
        }
    }

    public void IsOver() => ledger.ForgetIdle();

    private async Task RunHandlerAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        try
        {
            await completions.OutcomeAsync(info, callbacks, cancellationToken).AsTask()
                .WaitAsync(settings.CompletionWait, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It runs on, and the others do not wait for it.
        }
    }
}
