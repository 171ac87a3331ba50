using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The sweep of one engine: removes expired uploads, completes concatenations, and runs pending completion handlers.</summary>
internal sealed class EngineSweepVisitor(
    UploadLockTable locks,
    RecordPolicy recordPolicy,
    OwnerQuota quota,
    CompletionService completion,
    DeadLetterService deadLetters,
    UploadRemover remover,
    ConcatenationService concatenation,
    IUploadCallbacks callbacks,
    EngineSettings settings,
    TimeProvider time) : ISweepVisitor
{
    public TimeSpan Interval => settings.SweepInterval;

    public async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (recordPolicy.IsExpired(info))
        {
            if (!recordPolicy.IsOrphaned(info) && !recordPolicy.BelongsToThisEngine(info))
            {
                return;
            }

            // An upload that a request holds is in use; the next sweep checks it again.
            using UploadLock? uploadLock = locks.TryAcquire(info.Key);
            if (uploadLock is not null)
            {
                await deadLetters.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken);
                await remover.ExpireAsync(info, callbacks, cancellationToken);
            }
        }
        else if (info.State == UploadState.Receiving)
        {
            // The index of pending concatenations is in memory; after a restart the sweep rebuilds it.
            if (EngineRecord.IsConcatenated(info) && recordPolicy.BelongsToThisEngine(info))
            {
                concatenation.TrackIfPending(info, EngineRecord.From(info));
                if (callbacks.HasCompletionHandler)
                {
                    await concatenation.TryConcatenateAsync(info.Key, waitForLock: false, callbacks, cancellationToken);
                }
            }
        }
        else if (info.State == UploadState.Received && callbacks.HasCompletionHandler && recordPolicy.BelongsToThisEngine(info)
            && !completion.IsHandlerRunning(info) && !completion.IsDeadLetterReported(EngineRecord.From(info)))
        {
            await RunHandlerAsync(info, cancellationToken);
        }
    }

    public void OnSweepCompleted() => quota.RemoveIdleOwners();

    private async Task RunHandlerAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        try
        {
            await completion.GetResultAsync(info, callbacks, cancellationToken).AsTask()
                .WaitAsync(settings.CompletionTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The handler continues in the background; the sweep does not wait for it.
        }
    }
}
