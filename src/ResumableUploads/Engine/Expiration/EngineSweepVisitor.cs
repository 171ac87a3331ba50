using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Concatenation;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Permits;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The sweep of one engine: removes expired uploads, completes concatenations and interrupted uploads, and runs pending completion handlers.</summary>
internal sealed class EngineSweepVisitor(
    EngineContext context,
    UploadLockTable locks,
    CompletionService completion,
    DeadLetterService deadLetters,
    UploadRemover remover,
    ConcatenationService concatenation,
    IUploadCallbacks callbacks) : ISweepVisitor
{
    private static readonly TimeSpan MinEarlyVisitInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan MaxEarlyVisitInterval = TimeSpan.FromSeconds(1);
    private bool _hasSwept;

    /// <summary>The parts that this sweep has read. Renewed at intervals too, because a sweep may fail or take long.</summary>
    private KnownParts _knownParts = new();

    private long _knownPartsTimestamp = context.Time.GetTimestamp();
    private readonly LeftoverParts _leftoverParts = new(concatenation);

    public required InterruptedCompletion Interrupted { get; init; }

    public TimeSpan Interval => context.Settings.SweepInterval;

    public TimeSpan EarlyVisitInterval => Max(Min(LeaseCheckInterval / 5, MaxEarlyVisitInterval), MinEarlyVisitInterval);

    /// <summary>Gets how often the lease of another process is observed. A renewal is seen that much late, and its end too.</summary>
    private TimeSpan LeaseCheckInterval => context.Settings.HandlerLeaseDuration / 6;

    public UploadKey[] TakeDueVisits()
    {
        UploadKey[] due = context.EarlyVisits.TakeDue();
        if (due.Length > 0)
        {
            // Another process may have received parts since the sweep has read them.
            (_knownParts, _knownPartsTimestamp) = (new KnownParts(), context.Time.GetTimestamp());
        }

        return due;
    }

    public async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (UsedPermits.IsMarker(info.Key))
        {
            if (context.RecordPolicy.IsExpired(info))
            {
                await remover.RemoveAsync(info, ignoreVersion: false, cancellationToken);
            }
        }
        else if (UploadReplacement.IsTemporary(info.Key))
        {
            if (UploadReplacement.IsAbandoned(info, context.RecordPolicy))
            {
                await remover.RemoveAsync(info, ignoreVersion: false, cancellationToken);
            }
        }
        else if (Interrupted.IsInterrupted(info, callbacks))
        {
            // Checked first: like a received upload, it does not expire before its handler has run.
            await WaitBoundedAsync(info, () => Interrupted.TryCompleteAsync(info.Key, callbacks, cancellationToken), cancellationToken);
        }
        else if (IsExpiredForThisEngine(info))
        {
            // If a request holds the lock, the upload is in use. The next sweep checks it again.
            if (locks.TryAcquire(info.Key) is { } uploadLock)
            {
                await WaitBoundedAsync(info, () => ExpireAsync(info.Key, uploadLock, cancellationToken), cancellationToken);
            }
        }
        else if (info.State != UploadState.Receiving)
        {
            await VisitReceivedAsync(info, cancellationToken);
        }
        else
        {
            if (context.Time.GetElapsedTime(_knownPartsTimestamp) >= Interval)
            {
                (_knownParts, _knownPartsTimestamp) = (new KnownParts(), context.Time.GetTimestamp());
            }

            // The index of pending concatenations is in memory; after a restart the sweep rebuilds it.
            if (EngineRecord.IsConcatenated(info) && context.RecordPolicy.BelongsToThisEngine(info))
            {
                EngineRecord record = EngineRecord.From(info);
                concatenation.TrackIfPending(info, record);

                // Only a request can run the endpoint of an upload.
                if (callbacks.HasCompletionHandler || record.Request is null)
                {
                    await WaitBoundedAsync(
                        info, () => concatenation.TryConcatenateAsync(info.Key, waitForLock: false, callbacks, cancellationToken, _knownParts).AsTask(), cancellationToken);
                }
            }
        }
    }

    public bool IsDeadLettered(UploadInfo info)
    {
        try
        {
            // A client can cause any number of those that it is at fault for, and to run them again does not help.
            return deadLetters.HasExhaustedHandler(info) && EngineRecord.From(info).Handler is not { IsClientFault: true };
        }
        catch (UploadStoreException)
        {
            // The visit of the upload reports that its record cannot be read.
            return false;
        }
    }

    public void OnSweepCompleted()
    {
        _hasSwept = true;
        _knownParts = new KnownParts();
        _leftoverParts.OnSweepCompleted();
        context.Lifecycle.SweepCompleted();
        context.Quota.RemoveIdleOwners();
    }

    private async ValueTask VisitReceivedAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (EngineRecord.IsConcatenated(info) && context.RecordPolicy.BelongsToThisEngine(info))
        {
            await _leftoverParts.RemoveAsync(info);
        }

        if (info.State != UploadState.Received || !context.RecordPolicy.BelongsToThisEngine(info))
        {
            return;
        }

        // Only a request can run the endpoint of an upload. Any other upload is completed, also if the application has no handler any more. A record without a name
        // may be one of an engine that has a handler.
        EngineRecord record = EngineRecord.From(info);
        if (completion.IsHandlerRunning(info))
        {
            if (record.Request is null && !completion.IsHandlerRunningHere(info, record))
            {
                context.EarlyVisits.Add(info.Key, Min(LeaseCheckInterval, completion.GetRemainingLease(info, record)));
            }

            return;
        }

        bool isDue = record.Request is null && (callbacks.HasCompletionHandler ? !completion.IsRetryPending(record) : record.EngineName is not null);
        if (isDue && !completion.IsDeadLetterReported(record))
        {
            await WaitBoundedAsync(info, () => completion.GetResultAsync(info, callbacks, cancellationToken).AsTask(), cancellationToken);
        }
    }

    /// <summary>Returns whether an upload has expired and this engine removes it: an upload of its own, or an orphaned one.</summary>
    private bool IsExpiredForThisEngine(UploadInfo info)
    {
        if (!context.RecordPolicy.IsExpired(info))
        {
            return false;
        }

        // After a long downtime, the first sweep leaves the uploads of other engines to those engines, which notify their application. No engine can read a
        // damaged record.
        return (_hasSwept && context.RecordPolicy.IsOrphaned(info) && (EngineRecord.IsDamaged(info) || !context.RecordPolicy.BelongsToThisEngine(info)))
            || (context.RecordPolicy.BelongsToThisEngine(info) && !completion.IsHandlerPending(info));
    }

    private async Task ExpireAsync(UploadKey key, UploadLock uploadLock, CancellationToken cancellationToken)
    {
        using (uploadLock)
        {
            uploadLock.CannotBePreempted = true;

            // The upload may have changed since it was listed.
            if (await context.Store.GetAsync(key, cancellationToken) is not { } info || !IsExpiredForThisEngine(info))
            {
                return;
            }

            if (EngineRecord.IsDamaged(info))
            {
                if (await remover.RemoveAsync(info, ignoreVersion: false, cancellationToken))
                {
                    Log.DamagedUploadExpired(context.Logger, key);
                }
            }
            else if (await deadLetters.NotifyBeforeExpirationAsync(info, callbacks, cancellationToken) is { } expired)
            {
                await remover.ExpireAsync(expired, callbacks, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Runs work that calls the application. After the completion timeout, the work continues in the background, also if the application blocks the thread, and the
    /// sweep visits the next upload.
    /// </summary>
    private async Task WaitBoundedAsync(UploadInfo info, Func<Task> start, CancellationToken cancellationToken)
    {
        Task work = StartAsync(start);
        await work.WaitAsync(context.Settings.CompletionTimeout, context.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (work.IsCompleted)
        {
            await work;
            return;
        }

        _ = work.ContinueWith(
            failed => Log.VisitFailed(context.Logger, failed.Exception!, info.Key),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Starts work on its own, so that the sweep can continue without an event that blocks its thread.</summary>
    private static async Task StartAsync(Func<Task> start)
    {
        await Task.Yield();
        await start();
    }

    private static TimeSpan Min(TimeSpan x, TimeSpan y) => x < y ? x : y;

    private static TimeSpan Max(TimeSpan x, TimeSpan y) => x > y ? x : y;
}
