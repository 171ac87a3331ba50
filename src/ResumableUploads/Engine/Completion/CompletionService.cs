using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Completes received uploads: runs the completion handler, and stores its response before it is sent to a client. Only one run of the handler of an
/// upload is active at a time. Within this process, a table ensures that; between processes, a lease in the record.
/// </summary>
internal sealed class CompletionService(EngineContext context, HandlerLeases leases, DeadLetterService deadLetters)
{
    /// <summary>The number of attempts without a delay after the upload has changed.</summary>
    private const int MaxImmediateRetries = 3;

    private static readonly TimeSpan MaxPollInterval = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<RunKey, Task<UploadResult>> _runs = new();

    /// <summary>
    /// Performs the work of an append that remains after the lock is released. The handler runs without the lock, so that it cannot be preempted and does not
    /// block status requests.
    /// </summary>
    public async ValueTask<UploadResult> CompleteAsync(AppendStep step, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (step is not AppendStep.HandlerLeased)
        {
            await step.ProgressReported;
        }

        UploadResult result = step switch
        {
            AppendStep.Finished finished => finished.Result,
            AppendStep.PartReceived part => part.Result,
            AppendStep.HandlerLeased leased => await RunLeasedHandlerAsync(leased.Info, leased.Record, callbacks, leased.ProgressReported),
            AppendStep.ResultPending pending => await GetResultAsync(pending, callbacks, cancellationToken),
            _ => throw new InvalidOperationException($"Unknown step {step.GetType()}."),
        };
        return step.IsCreated ? result with { IsCreated = true } : result;
    }

    /// <summary>
    /// Returns the result of an upload that is received or completed: the stored response, or the result of a handler run, which is started if none
    /// is running.
    /// </summary>
    public async ValueTask<UploadResult> GetResultAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(context.Time, context.Settings.CompletionTimeout, MaxPollInterval);
        for (int attempt = 1; ; attempt++)
        {
            if (info.State == UploadState.Completed)
            {
                return await GetCompletedResultAsync(info, cancellationToken);
            }

            EngineRecord record = EngineRecord.From(info);
            if (_runs.TryGetValue(new RunKey(info.Key, record.Created), out Task<UploadResult>? run))
            {
                return await WaitForRunAsync(run, info, backoff.Remaining, cancellationToken);
            }

            bool isLeased = leases.IsLeased(record);
            if (!isLeased && await TryCompleteAsync(info, record, callbacks, cancellationToken) is { } result)
            {
                return result;
            }

            // Leased by another process, changed, or busy.
            if ((isLeased || attempt > MaxImmediateRetries) && !await backoff.WaitAsync(cancellationToken))
            {
                return HandlerRunningResult(info);
            }

            UploadInfo? current = await context.Store.GetAsync(info.Key, cancellationToken);
            if (current is null)
            {
                return new UploadResult(UploadResultKind.NotFound);
            }

            info = current;
        }
    }

    /// <summary>Returns whether a handler runs for the upload, in this or another process.</summary>
    public bool IsHandlerRunning(UploadInfo info) => info.State == UploadState.Received && leases.IsLeased(EngineRecord.From(info));

    /// <summary>Returns whether the handler failed and its next attempt is not due yet.</summary>
    public bool IsRetryPending(EngineRecord record) => leases.IsRetryPending(record);

    /// <summary>Returns whether the upload is dead-lettered and the application was notified, so that no work remains.</summary>
    public bool IsDeadLetterReported(EngineRecord record) => leases.IsExhausted(record) && record.Handler is { IsDeadLetterReported: true };

    /// <summary>Waits until no handler runs for the upload in this process.</summary>
    /// <returns>False if the handler is still running after the completion timeout.</returns>
    public async ValueTask<bool> WaitForHandlerAsync(UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(_runs.Where(run => run.Key.Upload == key).Select(static run => run.Value)).WaitAsync(context.Settings.CompletionTimeout, context.Time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Waits until all handlers that are running now have ended.</summary>
    public Task WaitForAllHandlersAsync() => Task.WhenAll(_runs.Values);

    private async ValueTask<UploadResult> GetResultAsync(AppendStep.ResultPending pending, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadResult result = await GetResultAsync(pending.Info, callbacks, cancellationToken);
        return pending.IsRepeat ? result with { Kind = UploadResultKind.Replayed } : result;
    }

    /// <summary>Completes a received upload that is not leased.</summary>
    /// <returns>The result, or null if the upload has changed and must be read again.</returns>
    private async ValueTask<UploadResult?> TryCompleteAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (record.Handler is not null
            && await GetResponseAsync(info, record, cancellationToken) is { Condition: not ResponseCondition.Missing } stored)
        {
            // The process that ran the handler crashed after storing the response and before updating the record. The handler is not run again.
            return (await MarkCompletedAsync(info, record, stored.Response)) with { IsResponseLost = stored.Condition == ResponseCondition.Damaged };
        }

        if (leases.IsExhausted(record))
        {
            return record.Handler is { IsDeadLetterReported: true } || leases.IsRetryPending(record)
                || await deadLetters.TryDeadLetterAsync(info, record, callbacks, cancellationToken)
                ? new UploadResult(UploadResultKind.DeadLettered, info.Offset) { UploadLength = info.Length }
                : null;
        }

        EngineRecord leased = record with { Handler = leases.StartAttempt(record.Handler) };
        UpdateResult update = await context.Store.UpdateAsync(
            info.Key, info.Version, context.RecordPolicy.CreateReceived(leased, info.Offset), cancellationToken);
        return update is { Status: ChangeStatus.Succeeded, Info: { } current }
            ? await RunLeasedHandlerAsync(current, leased, callbacks, Task.CompletedTask)
            : null;
    }

    private async ValueTask<UploadResult> WaitForRunAsync(Task<UploadResult> run, UploadInfo info, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await run.WaitAsync(timeout, context.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return HandlerRunningResult(info);
        }
    }

    /// <summary>Runs the handler of an upload that this request has leased, or joins a run that has already started.</summary>
    private Task<UploadResult> RunLeasedHandlerAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task progressReported)
    {
        var completion = new TaskCompletionSource<UploadResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<UploadResult> run = _runs.GetOrAdd(new RunKey(info.Key, record.Created), completion.Task);
        if (run == completion.Task)
        {
            _ = RunAsync(info, record, callbacks, progressReported, completion);
        }

        return run;
    }

    private async Task RunAsync(
        UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task progressReported, TaskCompletionSource<UploadResult> completion)
    {
        UploadResult result;
        try
        {
            result = await RunHandlerAsync(info, record, callbacks, progressReported);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(context.Logger, e, e.Failure, info.Key, info.Offset);
            result = UploadResult.FromException(e) with { Offset = info.Offset };
        }
        catch (Exception e)
        {
            Log.HandlerFailed(context.Logger, e, info.Key, record.Handler?.Attempts ?? 1, context.Settings.MaxHandlerAttempts);
            result = new UploadResult(UploadResultKind.HandlerFailed, info.Offset);
        }

        _runs.TryRemove(new RunKey(info.Key, record.Created), out _);
        completion.SetResult(result);
    }

    private async ValueTask<UploadResult> RunHandlerAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task progressReported)
    {
        await using var lease = new HandlerLeaseRenewer(context, info.Key, record);
        HandlerResult? result = null;
        await progressReported;
        DateTimeOffset startTime = context.Time.GetUtcNow();
        try
        {
            result = await callbacks.RunHandlerAsync(info, record, lease.HandlerToken);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(context.Logger, e, info.Key, record.Handler?.Attempts ?? 1, context.Settings.MaxHandlerAttempts);
        }

        // The renewer has stopped, so nothing else in this process writes the record from here on.
        record = await lease.StopAsync();
        UploadInfo current = await GetExistingAsync(info.Key, record);
        if (result is not { Kind: HandlerResultKind.Final } && current.State != UploadState.Completed)
        {
            return await HandleFailureAsync(current, record, result, startTime, callbacks);
        }

        try
        {
            return await StoreResponseAsync(current, record, result?.Response);
        }
        catch (Exception)
        {
            // A lease that is kept would block the next attempt until it expires.
            await leases.UpdateIfLeasedAsync(current, record with { Handler = leases.AfterFailure(HandlerLeases.WithoutLease(record), startTime) });
            throw;
        }
    }

    private async ValueTask<UploadInfo> GetExistingAsync(UploadKey key, EngineRecord record) =>
        await context.Store.GetAsync(key, CancellationToken.None) is { } info && record.IsOf(info)
            ? info
            : throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {key} disappeared while its handler ran.");

    /// <summary>Stores the response and completes the upload. If another process has completed it, that process's response is the result.</summary>
    private async ValueTask<UploadResult> StoreResponseAsync(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response)
    {
        if (info.State == UploadState.Completed)
        {
            return await GetCompletedResultAsync(info, CancellationToken.None);
        }

        if (response is { } bytes)
        {
            await context.Store.PutResponseAsync(info.Key, ResponseEnvelope.Seal(bytes, record), CancellationToken.None);
        }

        return await MarkCompletedAsync(info, record, response);
    }

    /// <summary>Writes the completed state after the response is stored.</summary>
    private async ValueTask<UploadResult> MarkCompletedAsync(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response)
    {
        EngineRecord completed = record with
        {
            Handler = HandlerLeases.WithoutLease(record),
            IsContentStored = await HasContentAsync(info.Key) ? true : null,
        };
        bool isOurs = false;
        UploadInfo? written = await context.RecordUpdater.UpdateAsync(
            info,
            current => (isOurs = current.State != UploadState.Completed && record.IsOf(current)) ? context.RecordPolicy.CreateCompleted(completed, current.Offset) : null,
            CancellationToken.None);
        if (isOurs && written is not null)
        {
            context.Quota.Add(QuotaAccount.From(info.Key, completed), QuotaUsage.Of(written) - QuotaUsage.Of(info));
        }

        Log.Completed(context.Logger, info.Key);
        return CompletedResult(info, record, response);
    }

    /// <summary>Returns whether the content is still in the store, and was not moved by the handler.</summary>
    private async ValueTask<bool> HasContentAsync(UploadKey key)
    {
        if (context.Store.GetCapability<IContentMover>() is null)
        {
            return true;
        }

        await using Stream? content = await context.Store.OpenReadAsync(key, CancellationToken.None);
        return content is not null;
    }

    /// <summary>Releases the lease after a failed run, or dead-letters the upload. A run that was canceled by a server stop does not count as an attempt.</summary>
    private async ValueTask<UploadResult> HandleFailureAsync(
        UploadInfo info, EngineRecord record, HandlerResult? result, DateTimeOffset startTime, IUploadCallbacks callbacks)
    {
        HandlerState state = HandlerLeases.WithoutLease(record) with { IsDeadLettered = result is { Kind: HandlerResultKind.DeadLetter } };
        state = result is null && context.Stopping.IsCancellationRequested
            ? state with { Attempts = state.Attempts - 1 }
            : leases.AfterFailure(state, startTime);

        // The lease is kept until the application has been notified of the dead-lettered upload.
        bool isExhausted = state.IsExhausted(context.Settings.MaxHandlerAttempts);
        UploadInfo? written = await leases.UpdateIfLeasedAsync(info, record with { Handler = isExhausted ? leases.WithLease(state) : state });
        if (isExhausted && written is not null)
        {
            await deadLetters.DeadLetterAsync(written, record with { Handler = state }, callbacks);
        }

        return new UploadResult(UploadResultKind.HandlerFailed, info.Offset) { UploadLength = info.Length, Response = result?.Response };
    }

    private async ValueTask<UploadResult> GetCompletedResultAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        EngineRecord record = EngineRecord.From(info);
        (ResponseCondition condition, ReadOnlyMemory<byte>? response) = await GetResponseAsync(info, record, cancellationToken);
        return CompletedResult(info, record, response) with { IsResponseLost = condition == ResponseCondition.Damaged };
    }

    private async ValueTask<(ResponseCondition Condition, ReadOnlyMemory<byte>? Response)> GetResponseAsync(
        UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        var result = ResponseEnvelope.Open(await context.Store.GetResponseAsync(info.Key, cancellationToken), record);
        if (result.Condition == ResponseCondition.Damaged)
        {
            Log.ResponseLost(context.Logger, info.Key);
        }

        return result;
    }

    private static UploadResult CompletedResult(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response) =>
        new(UploadResultKind.Completed, info.Offset) { UploadLength = info.Length, Response = response, ReprDigest = record.ComputedReprDigest };

    private static UploadResult HandlerRunningResult(UploadInfo info) =>
        new(UploadResultKind.HandlerRunning, info.Offset) { UploadLength = info.Length };

    /// <summary>Identifies a run of the handler. An upload that starts over keeps its key, but is created again and needs a run of its own.</summary>
    private readonly record struct RunKey(UploadKey Upload, DateTimeOffset Created);
}
