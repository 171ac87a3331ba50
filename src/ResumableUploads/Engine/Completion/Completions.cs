using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Takes received uploads to completed: runs the application's handler, once at a time per upload, in this process through a table and
/// between processes through a lease in the record, and stores its outcome before anybody is told.
/// </summary>
internal sealed class Completions(
    IUploadStore store, Records records, RecordChange change, EngineSettings settings, UploadMetrics metrics, TimeProvider time, ILogger logger, CancellationToken stopping)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<UploadKey, Task<UploadOutcome>> _runs = new();
    private readonly string _process = Guid.NewGuid().ToString("n");

    /// <summary>The handler's state for a record that is written now by the one who is about to run it.</summary>
    public HandlerState Claim(HandlerState? before) =>
        new((before?.Attempts ?? 0) + 1, _process, time.GetUtcNow() + settings.HandlerLease, (before?.Runs ?? 0) + 1);

    /// <summary>Runs the handler of an upload that the caller has just claimed, or joins whoever runs it.</summary>
    public Task<UploadOutcome> RunClaimedAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks)
    {
        var done = new TaskCompletionSource<UploadOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<UploadOutcome> run = _runs.GetOrAdd(info.Key, done.Task);
        if (run == done.Task)
        {
            _ = RunAsync(info, data, callbacks, done);
        }

        return run;
    }

    /// <summary>The outcome of an upload that is received or completed: the stored one, or that of a run that is under way or begins now.</summary>
    public async ValueTask<UploadOutcome> OutcomeAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            if (info.State == UploadState.Completed)
            {
                return new UploadOutcome(OutcomeKind.Completed, info.Offset)
                {
                    UploadLength = info.Length,
                    Answer = await store.GetOutcomeAsync(info.Key, cancellationToken).ConfigureAwait(false),
                };
            }

            if (_runs.TryGetValue(info.Key, out Task<UploadOutcome>? run))
            {
                return await JoinAsync(run, info, settings.CompletionWait - time.GetElapsedTime(began), cancellationToken).ConfigureAwait(false);
            }

            UploadData data = UploadData.From(info);
            if (IsLeased(data))
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
            else if (IsParked(data))
            {
                if (data.Handler is { IsTold: true } || await TryParkAsync(info, data, callbacks, cancellationToken).ConfigureAwait(false))
                {
                    return new UploadOutcome(OutcomeKind.Parked, info.Offset) { UploadLength = info.Length };
                }
            }
            else
            {
                UploadData claimed = data with { Handler = Claim(data.Handler) };
                UpdateResult update = await store
                    .UpdateAsync(info.Key, info.Version, records.Received(info, claimed, info.Offset), cancellationToken).ConfigureAwait(false);
                if (update is { Status: ChangeStatus.Done, Info: { } current })
                {
                    return await RunClaimedAsync(current, claimed, callbacks).ConfigureAwait(false);
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
    public bool IsLeased(UploadInfo info) => info.State == UploadState.Received && IsLeased(UploadData.From(info));

    /// <summary>Whether there is nothing to be done for a received upload: it was given up, and the application has heard of it.</summary>
    public bool IsSettled(UploadData data) => IsParked(data) && data.Handler is { IsTold: true };

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

    private async Task RunAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, TaskCompletionSource<UploadOutcome> done)
    {
        UploadOutcome outcome;
        try
        {
            outcome = await HandleAsync(info, data, callbacks).ConfigureAwait(false);
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

    private async ValueTask<UploadOutcome> HandleAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks)
    {
        await using var lease = new HandlerLease(store, records, settings, time, info.Key, data);
        HandlerResult? result = null;
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
            answer = await store.GetOutcomeAsync(info.Key, CancellationToken.None).ConfigureAwait(false);
            return new UploadOutcome(OutcomeKind.Completed, info.Offset) { UploadLength = info.Length, Answer = answer };
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
        UploadData done = data with { Handler = Unleased(data) };
        await change.WriteAsync(
            info, now => now.State == UploadState.Completed ? null : records.Completed(now, done, now.Offset), CancellationToken.None).ConfigureAwait(false);
        Log.Completed(logger, info.Key);
        return new UploadOutcome(OutcomeKind.Completed, info.Offset) { UploadLength = info.Length, Answer = answer };
    }

    /// <summary>Gives the lease back, so that the handler can be run again. A stop of the server is no attempt.</summary>
    private async ValueTask<UploadOutcome> GiveUpAsync(UploadInfo info, UploadData data, HandlerResult? result, IUploadCallbacks callbacks)
    {
        HandlerState state = Unleased(data) with { IsParked = result is { Verdict: HandlerVerdict.Park } };
        if (result is null && stopping.IsCancellationRequested)
        {
            state = state with { Attempts = state.Attempts - 1 };
        }

        // Whoever gives up holds the lease until the application has heard of it.
        bool isParked = state.HasEnough(settings.HandlerAttempts);
        UploadInfo? now = await WriteAsync(info, data with { Handler = isParked ? Leased(state) : state }).ConfigureAwait(false);
        if (isParked && now is not null)
        {
            await ParkAsync(now, data with { Handler = state }, callbacks).ConfigureAwait(false);
        }

        return new UploadOutcome(OutcomeKind.HandlerFailed, info.Offset) { UploadLength = info.Length, Answer = result?.Answer };
    }

    /// <summary>
    /// An upload is about to be removed. If all its bytes came and nobody came back for the rest, the application hears of it, and may still
    /// save the content.
    /// </summary>
    public async ValueTask ForsakeAsync(UploadInfo info, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (info.State == UploadState.Received && records.IsOurs(info) && UploadData.From(info) is var data && !IsLeased(data)
            && data.Handler is not { IsTold: true }
            && await store.GetOutcomeAsync(info.Key, cancellationToken).ConfigureAwait(false) is null)
        {
            await TellAsync(info, data, callbacks, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Gives up an upload whose last attempt ended with its process, so that nobody has heard of it. False where somebody else is about it.
    /// </summary>
    private async ValueTask<bool> TryParkAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        HandlerState state = Unleased(data) with { IsParked = data.Handler is { IsParked: true } };
        UpdateResult update = await store
            .UpdateAsync(info.Key, info.Version, records.Received(info, data with { Handler = Leased(state) }, info.Offset), cancellationToken).ConfigureAwait(false);
        if (update is not { Status: ChangeStatus.Done, Info: { } current })
        {
            return false;
        }

        await ParkAsync(current, data with { Handler = state }, callbacks).ConfigureAwait(false);
        return true;
    }

    /// <summary>Tells that an upload was given up, and then writes down that it is told: where the process dies in between, it is told again.</summary>
    private async ValueTask ParkAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks)
    {
        bool isTold;
        await using (new HandlerLease(store, records, settings, time, info.Key, data with { Handler = Leased(data.Handler!) }).ConfigureAwait(false))
        {
            isTold = await TellAsync(info, data, callbacks, stopping).ConfigureAwait(false);
        }

        await WriteAsync(info, data with { Handler = data.Handler! with { IsTold = isTold } }).ConfigureAwait(false);
    }

    /// <summary>Tells whoever listens that an upload was given up; false where the server stopped meanwhile.</summary>
    private async ValueTask<bool> TellAsync(UploadInfo info, UploadData data, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        metrics.Parked();
        Log.Parked(logger, info.Key, data.Handler?.Attempts ?? 0);
        try
        {
            await callbacks.ParkedAsync(info, data, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
        {
            Log.ParkedHandlerFailed(logger, e, info.Key);
            return !cancellationToken.IsCancellationRequested;
        }
    }

    /// <summary>Writes how far the handler is, unless another process has claimed or completed the upload meanwhile: then null.</summary>
    private async ValueTask<UploadInfo?> WriteAsync(UploadInfo info, UploadData data)
    {
        bool isOurs = false;
        UploadInfo? written = await change.WriteAsync(
            info,
            now =>
            {
                isOurs = now.State == UploadState.Received && UploadData.From(now).Handler?.LeasedBy == _process;
                return isOurs ? records.Received(now, data, now.Offset) : null;
            },
            CancellationToken.None).ConfigureAwait(false);
        return isOurs ? written : null;
    }

    private HandlerState Leased(HandlerState state) =>
        state with { LeasedBy = _process, LeasedUntil = time.GetUtcNow() + settings.HandlerLease };

    /// <summary>Whether no handler may be started for the upload, as far as its record tells.</summary>
    private bool IsParked(UploadData data) => data.Handler?.HasEnough(settings.HandlerAttempts) is true;

    private bool IsLeased(UploadData data) => data.Handler is { LeasedBy: not null } handler && handler.LeasedUntil > time.GetUtcNow();

    private static HandlerState Unleased(UploadData data) => new(data.Handler?.Attempts ?? 1, null, default, data.Handler?.Runs ?? 1);

    private static UploadOutcome StillCompleting(UploadInfo info) =>
        new(OutcomeKind.StillCompleting, info.Offset) { UploadLength = info.Length };
}
