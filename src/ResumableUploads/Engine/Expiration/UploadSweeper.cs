using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Expiration;

/// <summary>
/// Visits all uploads of a store periodically, with bounded memory and a limited CPU share, for all engines that share the store.
/// A failing upload is skipped. If the store supports checkpoints, a sweep that a restart interrupted continues where it stopped.
/// </summary>
internal sealed class UploadSweeper(IUploadStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(10);

    private readonly ISweepCheckpointStore? _checkpointStore = store.GetCapability<ISweepCheckpointStore>();
    private volatile ISweepVisitor[] _visitors = [];
    private bool _hasCheckpoint;

    private TimeSpan Interval => _visitors.Min(static visitor => visitor.Interval);

    /// <summary>Adds a visitor, starting with the next upload. Not thread-safe.</summary>
    public void Add(ISweepVisitor visitor) => _visitors = [.. _visitors, visitor];

    /// <summary>Sweeps immediately and then at every interval, until the token is canceled.</summary>
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
            // The server is stopping.
        }
    }

    /// <summary>Visits all uploads once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        UploadKey? checkpoint = _checkpointStore is null ? null : await _checkpointStore.GetSweepCheckpointAsync(cancellationToken);
        _hasCheckpoint = checkpoint is not null;
        await SweepRangeAsync(checkpoint, null, cancellationToken);
        if (checkpoint is not null)
        {
            // If the upload at the checkpoint was deleted meanwhile, this range has no end and visits some uploads twice.
            await SweepRangeAsync(null, checkpoint, cancellationToken);
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
        long checkpointTimestamp = time.GetTimestamp();
        UploadKey? lastVisited = null;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { StartAfter = after }, cancellationToken))
            {
                await VisitAsync(info, cancellationToken);
                lastVisited = info.Key;
                if (lastVisited == last)
                {
                    break;
                }

                if (time.GetElapsedTime(checkpointTimestamp) > CheckpointInterval)
                {
                    await PutCheckpointAsync(lastVisited, cancellationToken);
                    checkpointTimestamp = time.GetTimestamp();
                }

                await throttle.PauseIfNeededAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (_hasCheckpoint && lastVisited is not null)
        {
            // The server is stopping; save the progress since the last checkpoint.
            await PutCheckpointAsync(lastVisited, CancellationToken.None);
            throw;
        }
    }

    private async ValueTask PutCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken)
    {
        if (_checkpointStore is not null)
        {
            await _checkpointStore.PutSweepCheckpointAsync(checkpoint, cancellationToken);
            _hasCheckpoint = checkpoint is not null;
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
