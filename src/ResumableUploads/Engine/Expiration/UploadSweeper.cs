using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Expiration;

/// <summary>
/// Visits all uploads of a store periodically, with bounded memory and a limited CPU share, for all engines that share the store.
/// A failing upload is skipped, and a failing sweep is retried. If the store supports checkpoints, a sweep that a restart interrupted continues where it
/// stopped.
/// </summary>
internal sealed class UploadSweeper(IUploadStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(10);

    /// <summary>The time after which a failed sweep is retried. Doubled after each further failure, up to the interval.</summary>
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromSeconds(10);

    /// <summary>The maximum number of groups of early visits at the same time, and of visits of one group.</summary>
    private const int MaxEarlyVisits = 16;

    private readonly ISweepCheckpointStore? _checkpointStore = store.GetCapability<ISweepCheckpointStore>();
    private volatile ISweepVisitor[] _visitors = [];
    private volatile SweepStatus _status = new(null, time.GetUtcNow(), 0, null);
    private readonly ReportedFailures<UploadKey> _reported = new();
    private bool _hasCheckpoint;
    private HeldUploads _held;
    private UsageTotals _usage = new();

    /// <summary>Whether the sweep has counted every upload once.</summary>
    private bool _isExact;

    /// <summary>Gets the store.</summary>
    public IUploadStore Store => store;

    /// <summary>Gets the time between two sweeps.</summary>
    public TimeSpan Interval => _visitors.Min(static visitor => visitor.Interval);

    /// <summary>Gets the current health.</summary>
    public SweepStatus Status => _status;

    /// <summary>Adds a visitor, starting with the next upload. Not thread-safe.</summary>
    public void Add(ISweepVisitor visitor) => _visitors = [.. _visitors, visitor];

    /// <summary>Sweeps immediately and then at every interval, and makes early visits, until the token is canceled. No failure ends it.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(SweepLoopAsync(cancellationToken), VisitEarlyLoopAsync(cancellationToken));

    /// <summary>Makes the visits that are due before the next sweep.</summary>
    public async Task VisitEarlyAsync(CancellationToken cancellationToken)
    {
        foreach (ISweepVisitor visitor in _visitors)
        {
            await Parallel.ForEachAsync(
                visitor.TakeDueVisits(),
                new ParallelOptions { MaxDegreeOfParallelism = MaxEarlyVisits, CancellationToken = cancellationToken },
                (key, token) => VisitEarlyAsync(visitor, key, token));
        }
    }

    private async Task SweepLoopAsync(CancellationToken cancellationToken)
    {
        _status = _status with { LastActivity = time.GetUtcNow() };
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                // Setting the period starts it again, so that a tick at the same time would be lost.
                TimeSpan period = await TrySweepAsync(cancellationToken);
                if (period != timer.Period)
                {
                    timer.Period = period;
                }
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The server is stopping.
        }
    }

    private async Task VisitEarlyLoopAsync(CancellationToken cancellationToken)
    {
        // A handler that runs long must not delay the visits that become due meanwhile.
        var running = new List<Task>();
        try
        {
            while (true)
            {
                await Task.Delay(_visitors.Min(static visitor => visitor.EarlyVisitInterval), time, cancellationToken);
                running.RemoveAll(static visits => visits.IsCompleted);
                if (running.Count < MaxEarlyVisits)
                {
                    running.Add(VisitEarlyAsync(cancellationToken));
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The server is stopping.
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Visits an upload as it is now. After a failure, the next sweep visits it.</summary>
    private async ValueTask VisitEarlyAsync(ISweepVisitor visitor, UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.GetAsync(key, cancellationToken) is { } info)
            {
                await visitor.VisitAsync(info, cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.VisitFailed(logger, e, key);
        }
    }

    /// <summary>Visits all uploads once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SweepUploadsAsync(cancellationToken);
        }
        finally
        {
            // Also after a failure: on a full disk, this is what frees space.
            if (!cancellationToken.IsCancellationRequested && store.GetCapability<ISelfCleaningStore>() is { } cleaner)
            {
                await cleaner.CleanUpAsync(cancellationToken);
            }
        }
    }

    private async Task SweepUploadsAsync(CancellationToken cancellationToken)
    {
        (_held, _usage, _isExact) = (default, new UsageTotals(), true);
        UploadKey? checkpoint = await GetCheckpointAsync(cancellationToken);
        _hasCheckpoint = checkpoint is not null;
        (UploadKey? first, _) = await SweepRangeAsync(checkpoint, null, null, cancellationToken);
        if (checkpoint is not null)
        {
            // The upload at the checkpoint can be deleted, and then the first one behind it is the end. If that is deleted too, some uploads are visited twice.
            (_, bool hasMetEnd) = await SweepRangeAsync(null, checkpoint, first, cancellationToken);
            _isExact = hasMetEnd || first is null;
        }

        if (_hasCheckpoint)
        {
            await PutCheckpointAsync(null, cancellationToken);
        }

        foreach (ISweepVisitor visitor in _visitors)
        {
            try
            {
                visitor.OnSweepCompleted();
            }
            catch (Exception e)
            {
                Log.SweepStepFailed(logger, e);
            }
        }
    }

    /// <summary>Sweeps once, and logs a failure.</summary>
    /// <returns>The time until the next sweep.</returns>
    private async Task<TimeSpan> TrySweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SweepAsync(cancellationToken);
            SweepStatus last = _status;
            _status = new SweepStatus(time.GetUtcNow(), time.GetUtcNow(), 0, null)
            {
                Held = _isExact ? _held : last.Held,
                Endpoints = _isExact ? _usage.GetEndpoints() : last.Endpoints,
                TopOwners = _isExact ? _usage.GetTopOwners() : last.TopOwners,
                FreeSpace = await GetFreeSpaceAsync(cancellationToken),
            };
            return Interval;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            SweepStatus status = _status;
            _status = status with { LastActivity = time.GetUtcNow(), ConsecutiveFailures = status.ConsecutiveFailures + 1, LastFailure = e };
            TimeSpan delay = Backoff.GetDelay(FirstRetryDelay, Interval, _status.ConsecutiveFailures);
            Log.SweepFailed(logger, e, delay);
            return delay;
        }
    }

    /// <summary>Visits the uploads of a part of the listing.</summary>
    /// <param name="after">The upload after which the part begins, or null for the beginning.</param>
    /// <param name="last">The last upload of the part, or null for the end of the listing.</param>
    /// <param name="beyond">The first upload behind the part, or null.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The first upload of the part, and whether the part has ended at <paramref name="last"/> or <paramref name="beyond"/>.</returns>
    private async Task<(UploadKey? First, bool HasMetEnd)> SweepRangeAsync(
        UploadKey? after, UploadKey? last, UploadKey? beyond, CancellationToken cancellationToken)
    {
        UploadKey? first = null;
        var throttle = new BackgroundThrottle(time);
        long checkpointTimestamp = time.GetTimestamp();
        UploadKey? lastVisited = null;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { StartAfter = after }, cancellationToken))
            {
                if (info.Key == beyond)
                {
                    return (first, true);
                }

                await VisitAsync(info, cancellationToken);
                lastVisited = info.Key;
                first ??= info.Key;
                _status = _status with { LastActivity = time.GetUtcNow() };
                if (lastVisited == last)
                {
                    return (first, true);
                }

                if (time.GetElapsedTime(checkpointTimestamp) > CheckpointInterval)
                {
                    await PutCheckpointAsync(lastVisited, cancellationToken);
                    checkpointTimestamp = time.GetTimestamp();
                }

                await throttle.PauseIfNeededAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (_hasCheckpoint && lastVisited is not null && cancellationToken.IsCancellationRequested)
        {
            // The server is stopping; save the progress since the last checkpoint.
            await PutCheckpointAsync(lastVisited, CancellationToken.None);
            throw;
        }

        return (first, false);
    }

    /// <summary>Gets the free space of the storage, or null if it is unknown. A failure does not end the sweep.</summary>
    private async ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return store.GetCapability<IStoreProbe>() is { } probe ? await probe.GetFreeSpaceAsync(cancellationToken) : null;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.SweepStepFailed(logger, e);
            return null;
        }
    }

    private async ValueTask<UploadKey?> GetCheckpointAsync(CancellationToken cancellationToken)
    {
        try
        {
            return _checkpointStore is null ? null : await _checkpointStore.GetSweepCheckpointAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.CheckpointFailed(logger, e);
            return null;
        }
    }

    /// <summary>Stores the position. A failure does not end the sweep: on a full disk, the sweep is what frees space.</summary>
    private async ValueTask PutCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken)
    {
        if (_checkpointStore is null)
        {
            return;
        }

        try
        {
            await _checkpointStore.PutSweepCheckpointAsync(checkpoint, cancellationToken);
            _hasCheckpoint = checkpoint is not null;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Log.CheckpointFailed(logger, e);
        }
    }

    private async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        bool isReadable = true;
        if (!UsedPermits.IsMarker(info.Key))
        {
            _held = _held.Add(info, _visitors.Any(visitor => visitor.IsDeadLettered(info)));
            _usage.Add(info);
        }

        foreach (ISweepVisitor visitor in _visitors)
        {
            try
            {
                await visitor.VisitAsync(info, cancellationToken);
            }
            catch (UploadStoreException e)
            {
                isReadable = false;
                if (_reported.TryAdd(info.Key))
                {
                    Log.UnreadableUploadSkipped(logger, e, info.Key);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                Log.VisitFailed(logger, e, info.Key);
            }
        }

        if (isReadable)
        {
            _reported.Remove(info.Key);
        }
    }
}
