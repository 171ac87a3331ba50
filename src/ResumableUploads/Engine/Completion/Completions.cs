using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Takes received uploads to completed: runs the application's handler, once at a time per upload, in this process through a table and
/// between processes through a lease in the record, and stores its outcome before anybody is told.
/// </summary>
internal sealed class Completions(
    IUploadStore store,
    Records records,
    RecordChange change,
    HandlerClaims claims,
    Parking parking,
    EngineSettings settings,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<UploadKey, Task<UploadOutcome>> _runs = new();

    /// <summary>Runs the handler of an upload that the caller has just claimed, or joins whoever runs it.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="data">What its record says.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="before">What the handler waits for, while the claim is held.</param>
    public Task<UploadOutcome> RunClaimedAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, Task before)
    {
        var done = new TaskCompletionSource<UploadOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<UploadOutcome> run = _runs.GetOrAdd(info.Key, done.Task);
        if (run == done.Task)
        {
            _ = RunAsync(info, data, callbacks, before, done);
        }

        return run;
    }

    /// <summary>
    /// What comes after a turn. The handler runs without the turn: it is never taken over, and a status answers meanwhile.
    /// </summary>
    public async ValueTask<UploadOutcome> AfterAsync(Step step, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (step.Claimed is null)
        {
            await step.Told.ConfigureAwait(false);
        }

        UploadOutcome outcome = step switch
        {
            { Claimed: { } claimed } => await RunClaimedAsync(step.Info!, claimed, callbacks, step.Told).ConfigureAwait(false),
            { Outcome: { } settled } => settled,
            _ => await OutcomeAsync(step.Info!, callbacks, cancellationToken).ConfigureAwait(false),
        };
        return step.IsCreated || step.IsReplay ? outcome with { IsCreated = step.IsCreated, IsReplay = step.IsReplay } : outcome;
    }

    /// <summary>The outcome of an upload that is received or completed: the stored one, or that of a run that is under way or begins now.</summary>
    public async ValueTask<UploadOutcome> OutcomeAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            if (info.State == UploadState.Completed)
            {
                return Done(info, UploadData.From(info), await store.GetOutcomeAsync(info.Key, cancellationToken).ConfigureAwait(false));
            }

            if (_runs.TryGetValue(info.Key, out Task<UploadOutcome>? run))
            {
                return await JoinAsync(run, info, settings.CompletionWait - time.GetElapsedTime(began), cancellationToken).ConfigureAwait(false);
            }

            UploadData data = UploadData.From(info);
            if (claims.IsHeld(data))
            {
                if (time.GetElapsedTime(began) >= settings.CompletionWait)
                {
                    return StillCompleting(info);
                }

                await Task.Delay(PollInterval, time, cancellationToken).ConfigureAwait(false);
            }
            else if (data.Handler is not null && await store.GetOutcomeAsync(info.Key, cancellationToken).ConfigureAwait(false) is { } stored)
            {
                // The process that ran the handler died between its outcome and the record that tells of it. It is not run again.
                return await CompleteAsync(info, data, stored).ConfigureAwait(false);
            }
            else if (claims.IsParked(data))
            {
                if (data.Handler is { IsTold: true } || await parking.TryParkAsync(info, data, callbacks, cancellationToken).ConfigureAwait(false))
                {
                    return new UploadOutcome(OutcomeKind.Parked, info.Offset) { UploadLength = info.Length };
                }
            }
            else
            {
                UploadData claimed = data with { Handler = claims.Begin(data.Handler) };
                UpdateResult update = await store
                    .UpdateAsync(info.Key, info.Version, records.Received(claimed, info.Offset), cancellationToken).ConfigureAwait(false);
                if (update is { Status: ChangeStatus.Done, Info: { } current })
                {
                    return await RunClaimedAsync(current, claimed, callbacks, Task.CompletedTask).ConfigureAwait(false);
                }
            }

            UploadInfo? next = await store.GetAsync(info.Key, cancellationToken).ConfigureAwait(false);
            if (next is null)
            {
                return new UploadOutcome(OutcomeKind.NotFound);
            }

            info = next;
        }
    }

    /// <summary>Whether a handler runs for the upload, here or in another process.</summary>
    public bool IsLeased(UploadInfo info) => info.State == UploadState.Received && claims.IsHeld(UploadData.From(info));

    /// <summary>Whether there is nothing to be done for a received upload: it was given up, and the application has heard of it.</summary>
    public bool IsSettled(UploadData data) => claims.IsParked(data) && data.Handler is { IsTold: true };

    /// <summary>Waits until no handler runs for the upload in this process; false when that takes too long.</summary>
    public async ValueTask<bool> QuietAsync(UploadKey key, CancellationToken cancellationToken)
    {
        if (!_runs.TryGetValue(key, out Task<UploadOutcome>? run))
        {
            return true;
        }

        try
        {
            await run.WaitAsync(settings.CompletionWait, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Ends when every handler that runs now has ended.</summary>
    public Task DrainAsync() => Task.WhenAll(_runs.Values);

    private async ValueTask<UploadOutcome> JoinAsync(Task<UploadOutcome> run, UploadInfo info, TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            return await run.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return StillCompleting(info);
        }
    }

    private async Task RunAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, Task before, TaskCompletionSource<UploadOutcome> done)
    {
        UploadOutcome outcome;
        try
        {
            outcome = await HandleAsync(info, data, callbacks, before).ConfigureAwait(false);
        }
        catch (UploadStoreException e)
        {
            Log.StoreFailed(logger, e, e.Failure, info.Key, info.Offset);
            outcome = new UploadOutcome(e.Failure == StoreFailure.Full ? OutcomeKind.StorageFull : OutcomeKind.StorageFailed, info.Offset);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, info.Key, data.Handler?.Attempts ?? 1, settings.HandlerAttempts);
            outcome = new UploadOutcome(OutcomeKind.HandlerFailed, info.Offset);
        }

        _runs.TryRemove(info.Key, out _);
        done.SetResult(outcome);
    }

    private async ValueTask<UploadOutcome> HandleAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, Task before)
    {
        await using var lease = new HandlerLease(store, records, settings, time, info.Key, data);
        HandlerResult? result = null;
        await before.ConfigureAwait(false);
        try
        {
            result = await callbacks.CompleteAsync(info, data, answer => KeepNowAsync(info, data, answer), stopping).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, info.Key, data.Handler?.Attempts ?? 1, settings.HandlerAttempts);
        }

        // The lease is renewed while the handler runs; from here on nobody else of this process writes the record.
        data = await lease.EndAsync().ConfigureAwait(false);
        UploadInfo current = await store.GetAsync(info.Key, CancellationToken.None).ConfigureAwait(false)
            ?? throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} disappeared while its handler ran.");
        return result is { Verdict: HandlerVerdict.Final } || current.State == UploadState.Completed
            ? await KeepAsync(current, data, result?.Answer).ConfigureAwait(false)
            : await GiveUpAsync(current, data, result, callbacks).ConfigureAwait(false);
    }

    private async ValueTask KeepNowAsync(UploadInfo info, UploadData data, ReadOnlyMemory<byte> answer)
    {
        UploadInfo current = await store.GetAsync(info.Key, CancellationToken.None).ConfigureAwait(false)
            ?? throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} disappeared while its handler ran.");
        if (current.State == UploadState.Completed)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, $"Another process has completed upload {info.Key} meanwhile.");
        }

        await KeepAsync(current, data, answer).ConfigureAwait(false);
    }

    /// <summary>Stores the outcome; only then is anybody told. Another process may have been first: then its outcome is the one.</summary>
    private async ValueTask<UploadOutcome> KeepAsync(UploadInfo info, UploadData data, ReadOnlyMemory<byte>? answer)
    {
        if (info.State == UploadState.Completed)
        {
            return Done(info, UploadData.From(info), await store.GetOutcomeAsync(info.Key, CancellationToken.None).ConfigureAwait(false));
        }

        if (answer is { } bytes)
        {
            await store.PutOutcomeAsync(info.Key, bytes, CancellationToken.None).ConfigureAwait(false);
        }

        return await CompleteAsync(info, data, answer).ConfigureAwait(false);
    }

    /// <summary>Writes into the record that the outcome, which is stored, is for good.</summary>
    private async ValueTask<UploadOutcome> CompleteAsync(UploadInfo info, UploadData data, ReadOnlyMemory<byte>? answer)
    {
        UploadData done = data with { Handler = HandlerClaims.Release(data) };
        await change.WriteAsync(
            info, now => now.State == UploadState.Completed ? null : records.Completed(done, now.Offset), CancellationToken.None).ConfigureAwait(false);
        Log.Completed(logger, info.Key);
        return Done(info, data, answer);
    }

    private static UploadOutcome Done(UploadInfo info, UploadData data, ReadOnlyMemory<byte>? answer) => new(OutcomeKind.Completed, info.Offset)
    {
        UploadLength = info.Length,
        Answer = answer,
        ReprDigest = data.FoundDigest,
    };

    /// <summary>Gives the lease back, so that the handler can be run again. A stop of the server is no attempt.</summary>
    private async ValueTask<UploadOutcome> GiveUpAsync(UploadInfo info, UploadData data, HandlerResult? result, IUploadCallbacks callbacks)
    {
        HandlerState state = HandlerClaims.Release(data) with { IsParked = result is { Verdict: HandlerVerdict.Park } };
        if (result is null && stopping.IsCancellationRequested)
        {
            state = state with { Attempts = state.Attempts - 1 };
        }

        // Whoever gives up holds the lease until the application has heard of it.
        bool isParked = state.HasEnough(settings.HandlerAttempts);
        UploadInfo? now = await claims.WriteAsync(info, data with { Handler = isParked ? claims.Hold(state) : state }).ConfigureAwait(false);
        if (isParked && now is not null)
        {
            await parking.ParkAsync(now, data with { Handler = state }, callbacks).ConfigureAwait(false);
        }

        return new UploadOutcome(OutcomeKind.HandlerFailed, info.Offset) { UploadLength = info.Length, Answer = result?.Answer };
    }

    private static UploadOutcome StillCompleting(UploadInfo info) =>
        new(OutcomeKind.StillCompleting, info.Offset) { UploadLength = info.Length };
}
