using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Expiration;

/// <summary>What one set of options has to do at each upload: clear what has expired, and run handlers that nobody came back for.</summary>
internal sealed class EngineSweepVisitor(
    EngineContext context,
    UploadLockTable locks,
    CompletionService completion,
    DeadLetterService deadLetters,
    UploadRemover remover,
    ConcatenationService concatenation,
    IUploadCallbacks callbacks) : ISweepVisitor
{
    public TimeSpan Interval => context.Settings.SweepInterval;

    public async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        // Whoever holds the turn is alive: it decides, and the next sweep looks again.
        if (context.RecordPolicy.IsExpired(info))
        {
            if (!context.RecordPolicy.IsOrphaned(info) && !context.RecordPolicy.BelongsToThisEngine(info))
            {
                return;
            }

            using UploadLock? uploadLock = locks.TryAcquire(info.Key);
            if (uploadLock is not null)
            {
                await deadLetters.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken);
                await remover.ExpireAsync(info, callbacks, cancellationToken);
            }
        }
        else if (info.State == UploadState.Receiving)
        {
            // After a restart this is how it is known what waits for what.
            if (EngineRecord.IsConcatenated(info) && context.RecordPolicy.BelongsToThisEngine(info))
            {
                concatenation.TrackIfPending(info, EngineRecord.From(info));
                if (callbacks.HasCompletionHandler)
                {
                    await concatenation.TryConcatenateAsync(info.Key, waitForLock: false, callbacks, cancellationToken);
                }
            }
        }
        else if (info.State == UploadState.Received && callbacks.HasCompletionHandler && context.RecordPolicy.BelongsToThisEngine(info)
            && !completion.IsHandlerRunning(info) && !completion.IsDeadLetterReported(EngineRecord.From(info)))
        {
            await RunHandlerAsync(info, cancellationToken);
        }
    }

    public void OnSweepCompleted() => context.Quota.RemoveIdleOwners();

    private async Task RunHandlerAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        try
        {
            await completion.GetResultAsync(info, callbacks, cancellationToken).AsTask()
                .WaitAsync(context.Settings.CompletionTimeout, context.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It runs on, and the others do not wait for it.
        }
    }
}
