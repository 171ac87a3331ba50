using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Content;
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
        if (!step.IsCreated || (step is AppendStep.HandlerLeased && result.Offset is null))
        {
            return result;
        }

        if (step is not AppendStep.Finished)
        {
            // Other requests may return the same result.
            return result with { IsCreated = true };
        }

        result.IsCreated = true;
        return result;
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

            bool isLeased = leases.IsLeased(info, record);
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
            if (current is null || !record.IsOf(current))
            {
                // A new upload with the same key may have missing bytes, and another creation request, which this request was not compared with.
                return new UploadResult(UploadResultKind.NotFound);
            }

            info = current;
        }
    }

    /// <summary>Returns whether a handler runs for the upload, in this or another process.</summary>
    public bool IsHandlerRunning(UploadInfo info) => info.State == UploadState.Received && leases.IsLeased(info, EngineRecord.From(info));

    /// <summary>Returns whether a handler runs for the upload in this process.</summary>
    public bool IsHandlerRunningHere(UploadInfo info, EngineRecord record) => _runs.ContainsKey(new RunKey(info.Key, record.Created));

    /// <summary>Returns the time after which an upload whose record does not change is not leased any more.</summary>
    public TimeSpan GetRemainingLease(UploadInfo info, EngineRecord record) => leases.GetRemaining(info, record);

    /// <summary>Returns whether a handler runs for the upload, or will run without a request, so that the upload does not expire.</summary>
    public bool IsHandlerPending(UploadInfo info) =>
        info.State == UploadState.Received && EngineRecord.From(info) is var record && (leases.IsLeased(info, record) || context.RecordPolicy.HasBackgroundAttempts(record));

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

    /// <summary>Waits until all handlers that are running now have ended, and logs if they do not end within the grace period.</summary>
    public async Task WaitForAllHandlersAsync()
    {
        try
        {
            await Task.WhenAll(_runs.Values).WaitAsync(context.Settings.AppendGracePeriod, context.Time);
        }
        catch (TimeoutException)
        {
            // The uploads stay received, and their handlers run again after the restart.
            Log.HandlersIgnoredStop(context.Logger, context.Settings.AppendGracePeriod);
        }
    }

    private async ValueTask<UploadResult> GetResultAsync(AppendStep.ResultPending pending, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        UploadResult result = await GetResultAsync(pending.Info, callbacks, cancellationToken);
        return pending.IsRepeat ? result with { Kind = UploadResultKind.Replayed } : result;
    }

    /// <summary>Completes a received upload that is not leased.</summary>
    /// <returns>The result, or null if the upload has changed and must be read again.</returns>
    private async ValueTask<UploadResult?> TryCompleteAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (leases.IsExhausted(record))
        {
            return record.Handler is { IsDeadLetterReported: true } || leases.IsRetryPending(record)
                || await deadLetters.TryDeadLetterAsync(info, record, callbacks, cancellationToken)
                ? new UploadResult(UploadResultKind.DeadLettered, info.Offset) { UploadLength = info.Length }
                : null;
        }

        if (!callbacks.HasCompletionHandler)
        {
            // The application had a handler when the upload was received, and has none any more. A process of an earlier version may still run it.
            return await MarkCompletedAsync(info, record, response: null, current => current.Version == info.Version);
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
        UploadResult result = new(UploadResultKind.HandlerFailed);
        try
        {
            result = await RunHandlerAsync(info, record, callbacks, progressReported);
        }
        catch (UploadStoreException e)
        {
            context.LogStoreFailure(e, e.Failure, info.Key, info.Offset);
            result = UploadResult.FromException(e) with { Offset = await context.Store.TryGetOffsetAsync(info.Key, record) };
        }
        catch (Exception e)
        {
            Log.HandlerFailed(context.Logger, e, info.Key, record.Handler?.Attempts ?? 1, context.Settings.MaxHandlerAttempts);
            result = new UploadResult(UploadResultKind.HandlerFailed, await context.Store.TryGetOffsetAsync(info.Key, record));
        }
        finally
        {
            // Every request for the result waits for this run, or joins it.
            _runs.TryRemove(new RunKey(info.Key, record.Created), out _);
            completion.SetResult(result);
        }
    }

    private async ValueTask<UploadResult> RunHandlerAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task progressReported)
    {
        await progressReported;
        if (await leases.EnsureLeasedAsync(info, record) is not { } leased)
        {
            Log.LeaseLost(context.Logger, info.Key);
            return HandlerRunningResult(info);
        }

        await using var lease = new HandlerLeaseRenewer(context, info, leased);
        HandlerResult? result = null;
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

        // The result is stored only if the version is current. The token is also canceled when the lease is lost.
        UploadInfo? current = !lease.HandlerToken.IsCancellationRequested
            ? lease.Info
            : await context.Store.GetAsync(info.Key, CancellationToken.None);
        if (current is null || !HandlerLeases.HasSameLease(current, record) || await leases.EnsureLeasedAsync(current, record) is not { } renewed)
        {
            Log.HandlerResultDiscarded(context.Logger, info.Key);
            return await GetOtherResultAsync(await context.Store.GetAsync(info.Key, CancellationToken.None), record);
        }

        record = renewed;
        if (result is not { Kind: HandlerResultKind.Final } final)
        {
            // A run that the server has canceled does not count as an attempt.
            bool isCanceled = result is null && (context.Stopping.IsCancellationRequested || lease.IsExpired);
            return await HandleFailureAsync(current, record, result, isCanceled ? null : startTime, callbacks);
        }

        try
        {
            return await MarkCompletedAsync(current, record, final.Response, stored => HandlerLeases.HasSameLease(stored, record));
        }
        catch (Exception)
        {
            // A lease that is kept would block the next attempt until it expires.
            await leases.UpdateIfLeasedAsync(current, record with { Handler = leases.AfterFailure(HandlerLeases.WithoutLease(record), startTime) });
            throw;
        }
    }

    /// <summary>Returns the result for a run whose upload another process has leased or completed, or that was deleted or replaced.</summary>
    private async ValueTask<UploadResult> GetOtherResultAsync(UploadInfo? current, EngineRecord record) =>
        current is null || !record.IsOf(current) ? new UploadResult(UploadResultKind.NotFound)
        : current.State == UploadState.Completed ? await GetCompletedResultAsync(current, CancellationToken.None)
        : HandlerRunningResult(current);

    /// <summary>
    /// Writes the completed state together with the response, unless another process has leased or completed the upload since it was read.
    /// </summary>
    /// <param name="info">The upload as last read or written.</param>
    /// <param name="record">The engine's data, with the lease.</param>
    /// <param name="isUnchanged">Returns whether the stored upload may be completed.</param>
    /// <param name="response">The response for the client, or null.</param>
    private async ValueTask<UploadResult> MarkCompletedAsync(
        UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response, Func<UploadInfo, bool> isUnchanged)
    {
        EngineRecord completed = record with
        {
            Handler = HandlerLeases.WithoutLease(record),
            IsContentStored = await HasContentAsync(info.Key) ? true : null,
            IsResponseStored = response is null ? null : true,
        };
        bool isOurs = false;
        long countNumber = context.Quota.GetCountNumber(info.Key.Owner);
        UploadInfo? written = await context.RecordUpdater.UpdateAsync(
            info,
            current => (isOurs = isUnchanged(current)) ? context.RecordPolicy.CreateCompleted(completed, current.Offset) : null,
            CancellationToken.None,
            response: response is { } bytes ? ResponseEnvelope.Seal(bytes, record) : (ReadOnlyMemory<byte>?)null);
        if (!isOurs || written is null)
        {
            return await GetOtherResultAsync(written, record);
        }

        context.Quota.Release(QuotaAccount.From(info.Key, completed), QuotaUsage.Of(info) - QuotaUsage.Of(written), countNumber);
        context.Lifecycle.Completed(info, completed);
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

    /// <summary>Releases the lease after a failed run, or dead-letters the upload.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">The engine's data, with the lease.</param>
    /// <param name="result">The result of the handler, or null if it threw.</param>
    /// <param name="startTime">The time at which the run started, or null if the run does not count as an attempt.</param>
    /// <param name="callbacks">The application.</param>
    private async ValueTask<UploadResult> HandleFailureAsync(
        UploadInfo info, EngineRecord record, HandlerResult? result, DateTimeOffset? startTime, IUploadCallbacks callbacks)
    {
        HandlerState state = HandlerLeases.WithoutLease(record) with { IsDeadLettered = result is { Kind: HandlerResultKind.DeadLetter } };
        state = startTime is { } start ? leases.AfterFailure(state, start) : state with { Attempts = state.Attempts - 1 };

        // The lease is kept until the application has been notified of the dead-lettered upload.
        bool isExhausted = state.IsExhausted(context.Settings.MaxHandlerAttempts);
        UploadInfo? written = await leases.UpdateIfLeasedAsync(info, record with { Handler = isExhausted ? leases.WithLease(state) : state });
        if (written is null)
        {
            return await GetOtherResultAsync(await context.Store.GetAsync(info.Key, CancellationToken.None), record);
        }

        if (isExhausted)
        {
            await deadLetters.DeadLetterAsync(written, record with { Handler = state }, callbacks, result is { IsClientFault: true });
        }

        return new UploadResult(UploadResultKind.HandlerFailed, info.Offset) { UploadLength = info.Length, Response = result?.Response };
    }

    private async ValueTask<UploadResult> GetCompletedResultAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        EngineRecord record = EngineRecord.From(info);
        var (condition, response) = ResponseEnvelope.Open(await context.Store.GetResponseAsync(info.Key, cancellationToken), record);
        bool isLost = condition == ResponseCondition.Damaged || (condition == ResponseCondition.Missing && record.IsResponseStored is true);
        if (isLost)
        {
            Log.ResponseLost(context.Logger, info.Key);
        }

        return CompletedResult(info, record, response) with { IsResponseLost = isLost };
    }

    private static UploadResult CompletedResult(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response) =>
        new(UploadResultKind.Completed, info.Offset) { UploadLength = info.Length, Response = response, ReprDigest = record.ComputedReprDigest };

    private static UploadResult HandlerRunningResult(UploadInfo info) =>
        new(UploadResultKind.HandlerRunning, info.Offset) { UploadLength = info.Length };

    /// <summary>Identifies a run of the handler. An upload that starts over keeps its key, but is created again and needs a run of its own.</summary>
    private readonly record struct RunKey(UploadKey Upload, DateTimeOffset Created);
}
