using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Sweeping;

/// <summary>
/// Goes over all uploads of a store from time to time, in bounded memory and at its pace, for everybody who shares the store. One damaged or
/// stubborn upload does not keep it from the others. A walk that a restart has ended is gone on with by the next process, where the store can
/// keep the place.
/// </summary>
internal sealed class Sweeper(IUploadStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan PlaceInterval = TimeSpan.FromSeconds(10);

    private volatile ISweepVisitor[] _visitors = [];
    private readonly IKeepsSweepPlace? _keeper = store.GetCapability<IKeepsSweepPlace>();
    private bool _isKept;

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
                    await SweepAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.SweepFailed(logger, e);
                }

                timer.Period = Interval;
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    /// <summary>Goes over all uploads once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        UploadKey? place = _keeper is null ? null : await _keeper.GetSweepPlaceAsync(cancellationToken).ConfigureAwait(false);
        _isKept = place is not null;
        await WalkAsync(place, null, cancellationToken).ConfigureAwait(false);
        if (place is not null)
        {
            // If the one at that place is gone by now, some are seen twice.
            await WalkAsync(null, place, cancellationToken).ConfigureAwait(false);
        }

        if (_isKept)
        {
            await KeepAsync(null, cancellationToken).ConfigureAwait(false);
        }

        foreach (ISweepVisitor visitor in _visitors)
        {
            visitor.IsOver();
        }

        if (store.GetCapability<ICleansUp>() is { } cleaner)
        {
            await cleaner.CleanUpAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WalkAsync(UploadKey? after, UploadKey? last, CancellationToken cancellationToken)
    {
        var pace = new Pace(time);
        long kept = time.GetTimestamp();
        UploadKey? seen = null;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { After = after }, cancellationToken).ConfigureAwait(false))
            {
                await VisitAsync(info, cancellationToken).ConfigureAwait(false);
                seen = info.Key;
                if (seen == last)
                {
                    break;
                }

                if (time.GetElapsedTime(kept) > PlaceInterval)
                {
                    await KeepAsync(seen, cancellationToken).ConfigureAwait(false);
                    kept = time.GetTimestamp();
                }

                await pace.RestAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_isKept && seen is not null)
        {
            // The server stops, and has come further than it said last.
            await KeepAsync(seen, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask KeepAsync(UploadKey? place, CancellationToken cancellationToken)
    {
        if (_keeper is not null)
        {
            await _keeper.PutSweepPlaceAsync(place, cancellationToken).ConfigureAwait(false);
            _isKept = place is not null;
        }
    }

    private async ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        foreach (ISweepVisitor visitor in _visitors)
        {
            try
            {
                await visitor.VisitAsync(info, cancellationToken).ConfigureAwait(false);
            }
            catch (UploadStoreException e)
            {
                Log.Unreadable(logger, e, info.Key);
            }
        }
    }
}
