using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Expiration;

/// <summary>What one set of options has to do at each upload: clear what has expired, and run handlers that nobody came back for.</summary>
internal sealed class EngineSweepVisitor(
    UploadLockTable turns,
    RecordPolicy records,
    OwnerQuota ledger,
    CompletionService completions,
    DeadLetterService parking,
    UploadRemover removal,
    ConcatenationService joins,
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
            if (!records.IsOrphaned(info) && !records.BelongsToThisEngine(info))
            {
                return;
            }

            using UploadLock? turn = turns.TryAcquire(info.Key);
            if (turn is not null)
            {
                await parking.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken);
                await removal.ExpireAsync(info, callbacks, cancellationToken);
            }
        }
        else if (info.State == UploadState.Receiving)
        {
            // After a restart this is how it is known what waits for what.
            if (EngineRecord.IsConcatenated(info) && records.BelongsToThisEngine(info))
            {
                joins.TrackIfPending(info, EngineRecord.From(info));
                if (callbacks.HasCompletionHandler)
                {
                    await joins.TryConcatenateAsync(info.Key, waits: false, callbacks, cancellationToken);
                }
            }
        }
        else if (info.State == UploadState.Received && callbacks.HasCompletionHandler && records.BelongsToThisEngine(info)
            && !completions.IsHandlerRunning(info) && !completions.IsDeadLetterReported(EngineRecord.From(info)))
        {
            await RunHandlerAsync(info, cancellationToken);
        }
    }

    public void OnSweepCompleted() => ledger.RemoveIdleOwners();

    private async Task RunHandlerAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        try
        {
            await completions.GetResultAsync(info, callbacks, cancellationToken).AsTask()
                .WaitAsync(settings.CompletionTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It runs on, and the others do not wait for it.
        }
    }
}
