using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>What listens to the diagnostics of a server.</summary>
internal enum Listeners
{
    None,

    /// <summary>A listener to all metrics of the package.</summary>
    Metrics,

    /// <summary>Listeners to all metrics and all activities of the package. Every activity is recorded.</summary>
    MetricsAndTraces,
}

/// <summary>Starts listeners that only count, so that what is measured is the cost of the package and not that of an exporter.</summary>
internal static class CountingListeners
{
    private static long s_count;

    public static long Count => Interlocked.Read(ref s_count);

    public static void Start(Listeners listeners)
    {
        if (listeners == Listeners.None)
        {
            return;
        }

        var meters = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == ResumableUploadsDiagnostics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<int>(static (_, _, _, _) => Interlocked.Increment(ref s_count));
        meters.SetMeasurementEventCallback<long>(static (_, _, _, _) => Interlocked.Increment(ref s_count));
        meters.SetMeasurementEventCallback<double>(static (_, _, _, _) => Interlocked.Increment(ref s_count));
        meters.Start();
        if (listeners == Listeners.MetricsAndTraces)
        {
            ActivitySource.AddActivityListener(new ActivityListener
            {
                ShouldListenTo = static source => source.Name == ResumableUploadsDiagnostics.ActivitySourceName,
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = static _ => Interlocked.Increment(ref s_count),
            });
        }
    }
}
