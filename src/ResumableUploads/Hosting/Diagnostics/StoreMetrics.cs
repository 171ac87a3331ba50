using System.Diagnostics.Metrics;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Hosting.Diagnostics;

/// <summary>The metrics of the stores of an application, as the last successful sweep of each has found them.</summary>
internal sealed class StoreMetrics
{
    private readonly Meter _meter;
    private readonly Func<IReadOnlyList<SweptStore>> _getStores;

    public StoreMetrics(IMeterFactory? factory, Func<IReadOnlyList<SweptStore>> getStores)
    {
        _getStores = getStores;
        _meter = factory?.Create(DiagnosticNames.Meter) ?? new Meter(DiagnosticNames.Meter);
        _meter.CreateObservableGauge(
            "resumable_uploads.store.uploads", () => Held().SelectMany(GetUploads), "{upload}", "Number of uploads in the store, by state, as of the last sweep.");
        _meter.CreateObservableGauge(
            "resumable_uploads.store.size", () => Held().Select(static store => Measure(store.Name, store.Held.Bytes)), "By", "Number of bytes of uploads in the store, as of the last sweep.");
        _meter.CreateObservableGauge(
            "resumable_uploads.store.free_space", () => Observe(static status => status.FreeSpace), "By", "Free space of the storage, as of the last sweep.");
        _meter.CreateObservableGauge(
            "resumable_uploads.store.last_sweep",
            () => Observe(static status => status.LastSucceeded?.ToUnixTimeSeconds()),
            "s",
            "Time at which the last successful sweep ended, in seconds since 1970.");
    }

    /// <summary>Ends the metrics, when the application has stopped.</summary>
    public void Stop() => _meter.Dispose();

    private IEnumerable<(string Name, HeldUploads Held)> Held() => _getStores()
        .Where(static store => store.Sweeper.Status.Held is not null)
        .Select(static store => (store.Name, store.Sweeper.Status.Held ?? default));

    private IEnumerable<Measurement<long>> Observe(Func<SweepStatus, long?> getValue)
    {
        foreach (SweptStore store in _getStores())
        {
            if (getValue(store.Sweeper.Status) is { } value)
            {
                yield return Measure(store.Name, value);
            }
        }
    }

    private static Measurement<long> Measure(string store, long value) => new(value, new KeyValuePair<string, object?>(DiagnosticNames.Store, store));

    private static IEnumerable<Measurement<long>> GetUploads((string Name, HeldUploads Held) store)
    {
        Measurement<long> Create(string state, long count) =>
            new(count, new KeyValuePair<string, object?>(DiagnosticNames.Store, store.Name), new KeyValuePair<string, object?>(DiagnosticNames.State, state));

        yield return Create("receiving", store.Held.Receiving.Uploads);
        yield return Create("received", store.Held.Received.Uploads);
        yield return Create("completed", store.Held.Completed.Uploads);
        yield return Create("dead_lettered", store.Held.DeadLettered.Uploads);
    }
}
