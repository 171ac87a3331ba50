using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Takes received uploads to completed: runs the application's handler, once at a time per upload, in this process through a table and
/// between processes through a lease in the record, and stores its outcome before anybody is told.
/// </summary>
internal sealed class CompletionService(
    IUploadStore store,
    RecordPolicy recordPolicy,
    RecordUpdater recordUpdater,
    HandlerLeases leases,
    DeadLetterService deadLetters,
    EngineSettings settings,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<UploadKey, Task<UploadResult>> _runs = new();

    /// <summary>Runs the handler of an upload that the caller has just claimed, or joins whoever runs it.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="record">What its record says.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="before">What the handler waits for, while the claim is held.</param>
    public Task<UploadResult> RunLeasedHandlerAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task before)
    {
        var done = new TaskCompletionSource<UploadResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<UploadResult> run = _runs.GetOrAdd(info.Key, done.Task);
        if (run == done.Task)
        {
            _ = RunAsync(info, record, callbacks, before, done);
        }

        return run;
    }

    /// <summary>
    /// What comes after a turn. The handler runs without the turn: it is never taken over, and a status answers meanwhile.
    /// </summary>
    public async ValueTask<UploadResult> CompleteStepAsync(AppendStepResult stepResult, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (stepResult.LeasedRecord is null)
        {
            await stepResult.ProgressReported;
        }

        UploadResult result = stepResult switch
        {
            { LeasedRecord: { } record } => await RunLeasedHandlerAsync(stepResult.Info!, record, callbacks, stepResult.ProgressReported),
            { Result: { } settled } => settled,
            _ => await GetResultAsync(stepResult.Info!, callbacks, cancellationToken),
        };
        return stepResult.IsCreated || stepResult.IsReplay ? result with { IsCreated = stepResult.IsCreated, IsReplay = stepResult.IsReplay } : result;
    }

    /// <summary>The outcome of an upload that is received or completed: the stored one, or that of a run that is under way or begins now.</summary>
    public async ValueTask<UploadResult> GetResultAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            if (info.State == UploadState.Completed)
            {
                return CompletedResult(info, EngineRecord.From(info), await store.GetResponseAsync(info.Key, cancellationToken));
            }

            if (_runs.TryGetValue(info.Key, out Task<UploadResult>? run))
            {
                return await WaitForRunAsync(run, info, settings.CompletionTimeout - time.GetElapsedTime(began), cancellationToken);
            }

            EngineRecord record = EngineRecord.From(info);
            if (leases.IsLeased(record))
            {
                if (time.GetElapsedTime(began) >= settings.CompletionTimeout)
                {
                    return HandlerRunningResult(info);
                }

                await Task.Delay(PollInterval, time, cancellationToken);
            }
            else if (record.Handler is not null && await store.GetResponseAsync(info.Key, cancellationToken) is { } stored)
            {
                // The process that ran the handler died between its outcome and the record that tells of it. It is not run again.
                return await MarkCompletedAsync(info, record, stored);
            }
            else if (leases.IsExhausted(record))
            {
                if (record.Handler is { IsDeadLetterReported: true } || await deadLetters.TryDeadLetterAsync(info, record, callbacks, cancellationToken))
                {
                    return new UploadResult(UploadResultKind.DeadLettered, info.Offset) { UploadLength = info.Length };
                }
            }
            else
            {
                EngineRecord claimed = record with { Handler = leases.StartAttempt(record.Handler) };
                UpdateResult update = await store
                    .UpdateAsync(info.Key, info.Version, recordPolicy.CreateReceived(claimed, info.Offset), cancellationToken);
                if (update is { Status: ChangeStatus.Succeeded, Info: { } current })
                {
                    return await RunLeasedHandlerAsync(current, claimed, callbacks, Task.CompletedTask);
                }
            }

            UploadInfo? next = await store.GetAsync(info.Key, cancellationToken);
            if (next is null)
            {
                return new UploadResult(UploadResultKind.NotFound);
            }

            info = next;
        }
    }

    /// <summary>Whether a handler runs for the upload, here or in another process.</summary>
    public bool IsHandlerRunning(UploadInfo info) => info.State == UploadState.Received && leases.IsLeased(EngineRecord.From(info));

    /// <summary>Whether there is nothing to be done for a received upload: it was given up, and the application has heard of it.</summary>
    public bool IsDeadLetterReported(EngineRecord record) => leases.IsExhausted(record) && record.Handler is { IsDeadLetterReported: true };

    /// <summary>Waits until no handler runs for the upload in this process; false when that takes too long.</summary>
    public async ValueTask<bool> WaitForHandlerAsync(UploadKey key, CancellationToken cancellationToken)
    {
        if (!_runs.TryGetValue(key, out Task<UploadResult>? run))
        {
            return true;
        }

        try
        {
            await run.WaitAsync(settings.CompletionTimeout, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Ends when every handler that runs now has ended.</summary>
    public Task WaitForAllHandlersAsync() => Task.WhenAll(_runs.Values);

    private async ValueTask<UploadResult> WaitForRunAsync(Task<UploadResult> run, UploadInfo info, TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            return await run.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return HandlerRunningResult(info);
        }
    }

    private async Task RunAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task before, TaskCompletionSource<UploadResult> done)
    {
        UploadResult result;
        try
        {
            result = await RunHandlerAsync(info, record, callbacks, before);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e, e.Failure, info.Key, info.Offset);
            result = new UploadResult(e.Failure == StoreFailure.Full ? UploadResultKind.StorageFull : UploadResultKind.StorageFailed, info.Offset);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, info.Key, record.Handler?.Attempts ?? 1, settings.MaxHandlerAttempts);
            result = new UploadResult(UploadResultKind.HandlerFailed, info.Offset);
        }

        _runs.TryRemove(info.Key, out _);
        done.SetResult(result);
    }

    private async ValueTask<UploadResult> RunHandlerAsync(UploadInfo info, EngineRecord record, IUploadCallbacks callbacks, Task before)
    {
        await using var lease = new HandlerLeaseRenewer(store, recordPolicy, settings, time, info.Key, record);
        HandlerResult? result = null;
        await before;
        try
        {
            result = await callbacks.RunHandlerAsync(info, record, answer => StoreResponseEarlyAsync(info, record, answer), stopping);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, info.Key, record.Handler?.Attempts ?? 1, settings.MaxHandlerAttempts);
        }

        // The lease is renewed while the handler runs; from here on nobody else of this process writes the record.
        record = await lease.StopAsync();
        UploadInfo current = await store.GetAsync(info.Key, CancellationToken.None)
            ?? throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} disappeared while its handler ran.");
        return result is { Kind: HandlerResultKind.Final } || current.State == UploadState.Completed
            ? await StoreResponseAsync(current, record, result?.Response)
            : await HandleFailureAsync(current, record, result, callbacks);
    }

    private async ValueTask StoreResponseEarlyAsync(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte> answer)
    {
        UploadInfo current = await store.GetAsync(info.Key, CancellationToken.None)
            ?? throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} disappeared while its handler ran.");
        if (current.State == UploadState.Completed)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"Another process has completed upload {info.Key} meanwhile.");
        }

        await StoreResponseAsync(current, record, answer);
    }

    /// <summary>Stores the outcome; only then is anybody told. Another process may have been first: then its outcome is the one.</summary>
    private async ValueTask<UploadResult> StoreResponseAsync(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? answer)
    {
        if (info.State == UploadState.Completed)
        {
            return CompletedResult(info, EngineRecord.From(info), await store.GetResponseAsync(info.Key, CancellationToken.None));
        }

        if (answer is { } bytes)
        {
            await store.PutResponseAsync(info.Key, bytes, CancellationToken.None);
        }

        return await MarkCompletedAsync(info, record, answer);
    }

    /// <summary>Writes into the record that the outcome, which is stored, is for good.</summary>
    private async ValueTask<UploadResult> MarkCompletedAsync(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? answer)
    {
        EngineRecord done = record with { Handler = HandlerLeases.WithoutLease(record) };
        await recordUpdater.UpdateAsync(
            info, now => now.State == UploadState.Completed ? null : recordPolicy.CreateCompleted(done, now.Offset), CancellationToken.None);
        Log.Completed(logger, info.Key);
        return CompletedResult(info, record, answer);
    }

    private static UploadResult CompletedResult(UploadInfo info, EngineRecord record, ReadOnlyMemory<byte>? answer) => new(UploadResultKind.Completed, info.Offset)
    {
        UploadLength = info.Length,
        Response = answer,
        ReprDigest = record.ComputedReprDigest,
    };

    /// <summary>Gives the lease back, so that the handler can be run again. A stop of the server is no attempt.</summary>
    private async ValueTask<UploadResult> HandleFailureAsync(UploadInfo info, EngineRecord record, HandlerResult? result, IUploadCallbacks callbacks)
    {
        HandlerState state = HandlerLeases.WithoutLease(record) with { IsDeadLettered = result is { Kind: HandlerResultKind.DeadLetter } };
        if (result is null && stopping.IsCancellationRequested)
        {
            state = state with { Attempts = state.Attempts - 1 };
        }

        // Whoever gives up holds the lease until the application has heard of it.
        bool isParked = state.IsExhausted(settings.MaxHandlerAttempts);
        UploadInfo? now = await leases.UpdateIfLeasedAsync(info, record with { Handler = isParked ? leases.WithLease(state) : state });
        if (isParked && now is not null)
        {
            await deadLetters.DeadLetterAsync(now, record with { Handler = state }, callbacks);
        }

        return new UploadResult(UploadResultKind.HandlerFailed, info.Offset) { UploadLength = info.Length, Response = result?.Response };
    }

    private static UploadResult HandlerRunningResult(UploadInfo info) =>
        new(UploadResultKind.HandlerRunning, info.Offset) { UploadLength = info.Length };
}
