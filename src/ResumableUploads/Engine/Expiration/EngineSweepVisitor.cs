using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The sweep of one engine: removes expired uploads, completes concatenations, and runs pending completion handlers.</summary>
internal sealed class EngineSweepVisitor(
    EngineContext context,
    UploadLockTable locks,
    CompletionService completion,
    DeadLetterService deadLetters,
    UploadRemover remover,
    ConcatenationService concatenation,
    IUploadCallbacks callbacks) : ISweepVisitor
{
    private bool _hasSwept;

    public TimeSpan Interval => context.Settings.SweepInterval;

    public async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (UploadReplacement.IsTemporary(info.Key))
        {
            if (UploadReplacement.IsAbandoned(info, context.Time))
            {
                await remover.RemoveAsync(info, ignoreVersion: false, cancellationToken);
            }
        }
        else if (context.RecordPolicy.IsExpired(info))
        {
            // The record of an orphaned upload is not read, because it may be damaged.
            if (!context.RecordPolicy.IsOrphaned(info) && (!context.RecordPolicy.BelongsToThisEngine(info) || completion.IsHandlerRunning(info)))
            {
                return;
            }

            // A request holds the lock, so the upload is in use. The next sweep checks it again.
            if (locks.TryAcquire(info.Key) is { } uploadLock)
            {
                await WaitBoundedAsync(info, ExpireAsync(info, uploadLock, cancellationToken), cancellationToken);
            }
        }
        else if (info.State != UploadState.Receiving)
        {
            await VisitReceivedAsync(info, cancellationToken);
        }
        else
        {
            // The index of pending concatenations is in memory; after a restart the sweep rebuilds it.
            if (EngineRecord.IsConcatenated(info) && context.RecordPolicy.BelongsToThisEngine(info))
            {
                EngineRecord record = EngineRecord.From(info);
                concatenation.TrackIfPending(info, record);

                // Only a request can run the endpoint of an upload.
                if (callbacks.HasCompletionHandler || record.Request is null)
                {
                    Task concatenating = concatenation.TryConcatenateAsync(info.Key, waitForLock: false, callbacks, cancellationToken).AsTask();
                    await WaitBoundedAsync(info, concatenating, cancellationToken);
                }
            }
        }
    }

    public void OnSweepCompleted()
    {
        _hasSwept = true;
        context.Metrics.SweepSucceeded(context.Settings.EngineName, context.Time.GetUtcNow());
        context.Quota.RemoveIdleOwners();
    }

    private async ValueTask VisitReceivedAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (!_hasSwept && EngineRecord.IsConcatenated(info) && context.RecordPolicy.BelongsToThisEngine(info))
        {
            // A crash may have followed the last byte.
            await concatenation.RemovePartsAsync(info);
        }

        if (info.State == UploadState.Received && callbacks.HasCompletionHandler && context.RecordPolicy.BelongsToThisEngine(info)
            && !completion.IsHandlerRunning(info)
            && EngineRecord.From(info) is var record && !completion.IsDeadLetterReported(record) && !completion.IsRetryPending(record))
        {
            await WaitBoundedAsync(info, completion.GetResultAsync(info, callbacks, cancellationToken).AsTask(), cancellationToken);
        }
    }

    private async Task ExpireAsync(UploadInfo info, UploadLock uploadLock, CancellationToken cancellationToken)
    {
        using (uploadLock)
        {
            uploadLock.CannotBePreempted = true;
            if (await deadLetters.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken))
            {
                await remover.ExpireAsync(info, callbacks, cancellationToken);
            }
        }
    }

    /// <summary>Waits for work that calls the application. After the completion timeout, the work continues in the background, and the sweep visits the next upload.</summary>
    private async Task WaitBoundedAsync(UploadInfo info, Task work, CancellationToken cancellationToken)
    {
        try
        {
            await work.WaitAsync(context.Settings.CompletionTimeout, context.Time, cancellationToken);
        }
        catch (Exception e) when (!work.IsCompleted && e is TimeoutException or OperationCanceledException)
        {
            _ = work.ContinueWith(
                failed => Log.VisitFailed(context.Logger, failed.Exception!, info.Key),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
