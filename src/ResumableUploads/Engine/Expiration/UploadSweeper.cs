using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Expiration;

/// <summary>
/// Goes over all uploads of a store from time to time, in bounded memory and at its pace, for everybody who shares the store. One damaged or
/// stubborn upload does not keep it from the others. A walk that a restart has ended is gone on with by the next process, where the store can
/// keep the place.
/// </summary>
internal sealed class UploadSweeper(IUploadStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(10);

    private volatile ISweepVisitor[] _visitors = [];
    private readonly ISweepCheckpointStore? _checkpointStore = store.GetCapability<ISweepCheckpointStore>();
    private bool _hasCheckpoint;

    private TimeSpan Interval => _visitors.Min(static visitor => visitor.Interval);

    /// <summary>Sweeps for one more from the next upload on. Not to be called by two at a time.</summary>
    public void Add(ISweepVisitor visitor) => _visitors = [.. _visitors, visitor];

    /// <summary>Sweeps at once and then at every interval, until the token fires.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                try
                {
                    await SweepAsync(cancellationToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.SweepFailed(logger, e);
                }

                timer.Period = Interval;
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <summary>Goes over all uploads once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        UploadKey? place = _checkpointStore is null ? null : await _checkpointStore.GetSweepCheckpointAsync(cancellationToken);
        _hasCheckpoint = place is not null;
        await SweepRangeAsync(place, null, cancellationToken);
        if (place is not null)
        {
            // If the one at that place is gone by now, some are seen twice.
            await SweepRangeAsync(null, place, cancellationToken);
        }

        if (_hasCheckpoint)
        {
            await PutCheckpointAsync(null, cancellationToken);
        }

        foreach (ISweepVisitor visitor in _visitors)
        {
            visitor.OnSweepCompleted();
        }

        if (store.GetCapability<ISelfCleaningStore>() is { } cleaner)
        {
            await cleaner.CleanUpAsync(cancellationToken);
        }
    }

    private async Task SweepRangeAsync(UploadKey? after, UploadKey? last, CancellationToken cancellationToken)
    {
        var throttle = new BackgroundThrottle(time);
        long kept = time.GetTimestamp();
        UploadKey? seen = null;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { StartAfter = after }, cancellationToken))
            {
                await VisitAsync(info, cancellationToken);
                seen = info.Key;
                if (seen == last)
                {
                    break;
                }

                if (time.GetElapsedTime(kept) > CheckpointInterval)
                {
                    await PutCheckpointAsync(seen, cancellationToken);
                    kept = time.GetTimestamp();
                }

                await throttle.PauseIfNeededAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (_hasCheckpoint && seen is not null)
        {
            // The server stops, and has come further than it said last.
            await PutCheckpointAsync(seen, CancellationToken.None);
            throw;
        }
    }

    private async ValueTask PutCheckpointAsync(UploadKey? place, CancellationToken cancellationToken)
    {
        if (_checkpointStore is not null)
        {
            await _checkpointStore.PutSweepCheckpointAsync(place, cancellationToken);
            _hasCheckpoint = place is not null;
        }
    }

    private async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        foreach (ISweepVisitor visitor in _visitors)
        {
            try
            {
                await visitor.VisitAsync(info, cancellationToken);
            }
            catch (UploadStoreException e)
            {
                Log.UnreadableUploadSkipped(logger, e, info.Key);
            }
        }
    }
}
