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
    RecordPolicy records,
    RecordUpdater change,
    HandlerLeases claims,
    DeadLetterService parking,
    EngineSettings settings,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<UploadKey, Task<UploadResult>> _runs = new();

    /// <summary>Runs the handler of an upload that the caller has just claimed, or joins whoever runs it.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="data">What its record says.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="before">What the handler waits for, while the claim is held.</param>
    public Task<UploadResult> RunLeasedHandlerAsync(UploadInfo info, EngineRecord data, IUploadCallbacks callbacks, Task before)
    {
        var done = new TaskCompletionSource<UploadResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<UploadResult> run = _runs.GetOrAdd(info.Key, done.Task);
        if (run == done.Task)
        {
            _ = RunAsync(info, data, callbacks, before, done);
        }

        return run;
    }

    /// <summary>
    /// What comes after a turn. The handler runs without the turn: it is never taken over, and a status answers meanwhile.
    /// </summary>
    public async ValueTask<UploadResult> CompleteStepAsync(AppendStepResult step, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (step.LeasedRecord is null)
        {
            await step.ProgressReported;
        }

        UploadResult outcome = step switch
        {
            { LeasedRecord: { } claimed } => await RunLeasedHandlerAsync(step.Info!, claimed, callbacks, step.ProgressReported),
            { Result: { } settled } => settled,
            _ => await GetResultAsync(step.Info!, callbacks, cancellationToken),
        };
        return step.IsCreated || step.IsReplay ? outcome with { IsCreated = step.IsCreated, IsReplay = step.IsReplay } : outcome;
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

            EngineRecord data = EngineRecord.From(info);
            if (claims.IsLeased(data))
            {
                if (time.GetElapsedTime(began) >= settings.CompletionTimeout)
                {
                    return HandlerRunningResult(info);
                }

                await Task.Delay(PollInterval, time, cancellationToken);
            }
            else if (data.Handler is not null && await store.GetResponseAsync(info.Key, cancellationToken) is { } stored)
            {
                // The process that ran the handler died between its outcome and the record that tells of it. It is not run again.
                return await MarkCompletedAsync(info, data, stored);
            }
            else if (claims.IsExhausted(data))
            {
                if (data.Handler is { IsDeadLetterReported: true } || await parking.TryDeadLetterAsync(info, data, callbacks, cancellationToken))
                {
                    return new UploadResult(UploadResultKind.DeadLettered, info.Offset) { UploadLength = info.Length };
                }
            }
            else
            {
                EngineRecord claimed = data with { Handler = claims.StartAttempt(data.Handler) };
                UpdateResult update = await store
                    .UpdateAsync(info.Key, info.Version, records.CreateReceived(claimed, info.Offset), cancellationToken);
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
    public bool IsHandlerRunning(UploadInfo info) => info.State == UploadState.Received && claims.IsLeased(EngineRecord.From(info));

    /// <summary>Whether there is nothing to be done for a received upload: it was given up, and the application has heard of it.</summary>
    public bool IsDeadLetterReported(EngineRecord data) => claims.IsExhausted(data) && data.Handler is { IsDeadLetterReported: true };

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

    private async Task RunAsync(UploadInfo info, EngineRecord data, IUploadCallbacks callbacks, Task before, TaskCompletionSource<UploadResult> done)
    {
        UploadResult outcome;
        try
        {
            outcome = await RunHandlerAsync(info, data, callbacks, before);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e, e.Failure, info.Key, info.Offset);
            outcome = new UploadResult(e.Failure == StoreFailure.Full ? UploadResultKind.StorageFull : UploadResultKind.StorageFailed, info.Offset);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, info.Key, data.Handler?.Attempts ?? 1, settings.MaxHandlerAttempts);
            outcome = new UploadResult(UploadResultKind.HandlerFailed, info.Offset);
        }

        _runs.TryRemove(info.Key, out _);
        done.SetResult(outcome);
    }

    private async ValueTask<UploadResult> RunHandlerAsync(UploadInfo info, EngineRecord data, IUploadCallbacks callbacks, Task before)
    {
        await using var lease = new HandlerLeaseRenewer(store, records, settings, time, info.Key, data);
        HandlerResult? result = null;
        await before;
        try
        {
            result = await callbacks.RunHandlerAsync(info, data, answer => StoreResponseEarlyAsync(info, data, answer), stopping);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, info.Key, data.Handler?.Attempts ?? 1, settings.MaxHandlerAttempts);
        }

        // The lease is renewed while the handler runs; from here on nobody else of this process writes the record.
        data = await lease.StopAsync();
        UploadInfo current = await store.GetAsync(info.Key, CancellationToken.None)
            ?? throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} disappeared while its handler ran.");
        return result is { Kind: HandlerResultKind.Final } || current.State == UploadState.Completed
            ? await StoreResponseAsync(current, data, result?.Response)
            : await HandleFailureAsync(current, data, result, callbacks);
    }

    private async ValueTask StoreResponseEarlyAsync(UploadInfo info, EngineRecord data, ReadOnlyMemory<byte> answer)
    {
        UploadInfo current = await store.GetAsync(info.Key, CancellationToken.None)
            ?? throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} disappeared while its handler ran.");
        if (current.State == UploadState.Completed)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"Another process has completed upload {info.Key} meanwhile.");
        }

        await StoreResponseAsync(current, data, answer);
    }

    /// <summary>Stores the outcome; only then is anybody told. Another process may have been first: then its outcome is the one.</summary>
    private async ValueTask<UploadResult> StoreResponseAsync(UploadInfo info, EngineRecord data, ReadOnlyMemory<byte>? answer)
    {
        if (info.State == UploadState.Completed)
        {
            return CompletedResult(info, EngineRecord.From(info), await store.GetResponseAsync(info.Key, CancellationToken.None));
        }

        if (answer is { } bytes)
        {
            await store.PutResponseAsync(info.Key, bytes, CancellationToken.None);
        }

        return await MarkCompletedAsync(info, data, answer);
    }

    /// <summary>Writes into the record that the outcome, which is stored, is for good.</summary>
    private async ValueTask<UploadResult> MarkCompletedAsync(UploadInfo info, EngineRecord data, ReadOnlyMemory<byte>? answer)
    {
        EngineRecord done = data with { Handler = HandlerLeases.WithoutLease(data) };
        await change.UpdateAsync(
            info, now => now.State == UploadState.Completed ? null : records.CreateCompleted(done, now.Offset), CancellationToken.None);
        Log.Completed(logger, info.Key);
        return CompletedResult(info, data, answer);
    }

    private static UploadResult CompletedResult(UploadInfo info, EngineRecord data, ReadOnlyMemory<byte>? answer) => new(UploadResultKind.Completed, info.Offset)
    {
        UploadLength = info.Length,
        Response = answer,
        ReprDigest = data.ComputedReprDigest,
    };

    /// <summary>Gives the lease back, so that the handler can be run again. A stop of the server is no attempt.</summary>
    private async ValueTask<UploadResult> HandleFailureAsync(UploadInfo info, EngineRecord data, HandlerResult? result, IUploadCallbacks callbacks)
    {
        HandlerState state = HandlerLeases.WithoutLease(data) with { IsDeadLettered = result is { Kind: HandlerResultKind.DeadLetter } };
        if (result is null && stopping.IsCancellationRequested)
        {
            state = state with { Attempts = state.Attempts - 1 };
        }

        // Whoever gives up holds the lease until the application has heard of it.
        bool isParked = state.IsExhausted(settings.MaxHandlerAttempts);
        UploadInfo? now = await claims.UpdateIfLeasedAsync(info, data with { Handler = isParked ? claims.WithLease(state) : state });
        if (isParked && now is not null)
        {
            await parking.DeadLetterAsync(now, data with { Handler = state }, callbacks);
        }

        return new UploadResult(UploadResultKind.HandlerFailed, info.Offset) { UploadLength = info.Length, Response = result?.Response };
    }

    private static UploadResult HandlerRunningResult(UploadInfo info) =>
        new(UploadResultKind.HandlerRunning, info.Offset) { UploadLength = info.Length };
}
