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
        return step.IsCreated && (step is not AppendStep.HandlerLeased || result.Offset is not null) ? result with { IsCreated = true } : result;
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
            if (current is null || !record.IsOf(current))
            {
                // A new upload with the same key may have missing bytes, and another creation request, which this request was not compared with.
                return new UploadResult(UploadResultKind.NotFound);
            }

            info = current;
        }
    }

    /// <summary>Returns whether a handler runs for the upload, in this or another process.</summary>
    public bool IsHandlerRunning(UploadInfo info) => info.State == UploadState.Received && leases.IsLeased(EngineRecord.From(info));

    /// <summary>Returns whether a handler runs for the upload, or will run without a request, so that the upload does not expire.</summary>
    public bool IsHandlerPending(UploadInfo info) =>
        info.State == UploadState.Received && EngineRecord.From(info) is var record && (leases.IsLeased(record) || context.RecordPolicy.HasBackgroundAttempts(record));

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
        if (record.Handler is not null
            && await GetResponseAsync(info, record, cancellationToken) is { Condition: not ResponseCondition.Missing } stored)
        {
            // The process that ran the handler crashed after storing the response and before updating the record. The handler is not run again.
            EngineRecord withResponse = record with { IsResponseStored = true };
            return (await MarkCompletedAsync(info, withResponse, stored.Response)) with { IsResponseLost = stored.Condition == ResponseCondition.Damaged };
        }

        if (leases.IsExhausted(record))
        {
            return record.Handler is { IsDeadLetterReported: true } || leases.IsRetryPending(record)
                || await deadLetters.TryDeadLetterAsync(info, record, callbacks, cancellationToken)
                ? new UploadResult(UploadResultKind.DeadLettered, info.Offset) { UploadLength = info.Length }
                : null;
        }

        if (!callbacks.HasCompletionHandler)
        {
            // The application had a handler when the upload was received, and has none any more.
            return await MarkCompletedAsync(info, record, response: null);
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
            result = UploadResult.FromException(e) with { Offset = await context.Store.TryGetOffsetAsync(info.Key, record) };
        }
        catch (Exception e)
        {
            Log.HandlerFailed(context.Logger, e, info.Key, record.Handler?.Attempts ?? 1, context.Settings.MaxHandlerAttempts);
            result = new UploadResult(UploadResultKind.HandlerFailed, await context.Store.TryGetOffsetAsync(info.Key, record));
        }

        _runs.TryRemove(new RunKey(info.Key, record.Created), out _);
        completion.SetResult(result);
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

        // A store that writes response and record together compares the version. For others, another process must not have the lease when the response is stored.
        // The token is also canceled when the lease is lost.
        UploadInfo? current = context.RecordUpdater.CanStoreResponses && !lease.HandlerToken.IsCancellationRequested
            ? lease.Info
            : await context.Store.GetAsync(info.Key, CancellationToken.None);
        if (current is null || !HandlerLeases.HasSameLease(current, record) || await leases.EnsureLeasedAsync(current, record) is not { } renewed)
        {
            Log.HandlerResultDiscarded(context.Logger, info.Key);
            return await GetOtherResultAsync(await context.Store.GetAsync(info.Key, CancellationToken.None), record);
        }

        record = renewed;
        if (result is not { Kind: HandlerResultKind.Final })
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

    /// <summary>Returns the result for a run whose upload another process has leased or completed, or that was deleted or replaced.</summary>
    private async ValueTask<UploadResult> GetOtherResultAsync(UploadInfo? current, EngineRecord record) =>
        current is null || !record.IsOf(current) ? new UploadResult(UploadResultKind.NotFound)
        : current.State == UploadState.Completed ? await GetCompletedResultAsync(current, CancellationToken.None)
        : HandlerRunningResult(current);

    /// <summary>Stores the response and completes the upload. Requires the lease.</summary>
    private async ValueTask<UploadResult> StoreResponseAsync(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response)
    {
        if (response is not { } bytes)
        {
            return await MarkCompletedAsync(info, record, response);
        }

        ReadOnlyMemory<byte>? envelope = ResponseEnvelope.Seal(bytes, record);
        if (!context.RecordUpdater.CanStoreResponses)
        {
            await context.Store.PutResponseAsync(info.Key, envelope.Value, CancellationToken.None);
            envelope = null;
        }

        return await MarkCompletedAsync(info, record with { IsResponseStored = true }, response, envelope);
    }

    /// <summary>Writes the completed state after the response is stored, unless another process has leased or completed the upload since it was read.</summary>
    /// <param name="info">The upload as last read or written.</param>
    /// <param name="record">The engine's data, with the lease.</param>
    /// <param name="response">The response for the client, or null.</param>
    /// <param name="envelope">The response that is stored together with the record, or null if it is stored already.</param>
    private async ValueTask<UploadResult> MarkCompletedAsync(
        UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? response, ReadOnlyMemory<byte>? envelope = null)
    {
        EngineRecord completed = record with
        {
            Handler = HandlerLeases.WithoutLease(record),
            IsContentStored = await HasContentAsync(info.Key) ? true : null,
        };
        bool isOurs = false;
        long countNumber = context.Quota.GetCountNumber(info.Key.Owner);
        UploadInfo? written = await context.RecordUpdater.UpdateAsync(
            info,
            current => (isOurs = HandlerLeases.HasSameLease(current, record)) ? context.RecordPolicy.CreateCompleted(completed, current.Offset) : null,
            CancellationToken.None,
            response: envelope);
        if (!isOurs || written is null)
        {
            return await GetOtherResultAsync(written, record);
        }

        context.Quota.Release(QuotaAccount.From(info.Key, completed), QuotaUsage.Of(info) - QuotaUsage.Of(written), countNumber);
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
        if (result.Condition == ResponseCondition.Missing && record.IsResponseStored is true)
        {
            result = (ResponseCondition.Damaged, null);
        }

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
