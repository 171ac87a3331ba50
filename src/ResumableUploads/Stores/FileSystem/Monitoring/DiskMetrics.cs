using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Monitoring;

/// <summary>
/// The metrics of all file-system stores of the process, distinguished by the attribute <see cref="DiagnosticNames.Directory"/>. The meter is static, because a store can be created without
/// a container and is never disposed.
/// </summary>
internal static class DiskMetrics
{
    public const string SyncDurationName = "resumable_uploads.disk.sync.duration";
    public const string QueuedCallsName = "resumable_uploads.disk.queued_calls";
    public const string BusyThreadsName = "resumable_uploads.disk.busy_threads";
    public const string ThreadLimitName = "resumable_uploads.disk.thread.limit";

    private static readonly Meter Meter = new(DiagnosticNames.Meter);

    /// <summary>The directories of the schedulers. A scheduler is removed when its store has been collected.</summary>
    private static readonly ConditionalWeakTable<DiskScheduler, string> Schedulers = [];

    private static readonly Histogram<double> SyncDuration = Meter.CreateHistogram(
        SyncDurationName,
        "s",
        "Duration of syncs of files and directories.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
        });

    static DiskMetrics()
    {
        Meter.CreateObservableGauge(
            QueuedCallsName, static () => Observe(static scheduler => scheduler.QueueLength), "{call}", "Number of disk calls that wait for a thread of the store.");
        Meter.CreateObservableGauge(
            BusyThreadsName, static () => Observe(static scheduler => scheduler.BusyThreadCount), "{thread}", "Number of threads of the store that run a disk call.");
        Meter.CreateObservableGauge(
            ThreadLimitName, static () => Observe(static scheduler => scheduler.MaxThreads), "{thread}", "Maximum number of threads of the store.");
    }

    /// <summary>Adds the threads of a store to the gauges, as long as the store exists.</summary>
    public static void Add(string directory, DiskScheduler scheduler) => Schedulers.AddOrUpdate(scheduler, directory);

    /// <param name="directory">The directory of the store.</param>
    /// <param name="isInStore">Whether the file or directory is in the directory of the store.</param>
    /// <param name="duration">The duration of the sync.</param>
    public static void RecordSync(string directory, bool isInStore, TimeSpan duration)
    {
        if (SyncDuration.Enabled)
        {
            SyncDuration.Record(
                duration.TotalSeconds,
                new KeyValuePair<string, object?>(DiagnosticNames.Directory, directory),
                new KeyValuePair<string, object?>(DiagnosticNames.Location, isInStore ? "store" : "outside"));
        }
    }

    /// <summary>Returns one value per directory: the sum over the stores that share it.</summary>
    private static IEnumerable<Measurement<int>> Observe(Func<DiskScheduler, int> getValue) => Schedulers
        .GroupBy(static entry => entry.Value, (directory, entries) => new Measurement<int>(
            entries.Sum(entry => getValue(entry.Key)), new KeyValuePair<string, object?>(DiagnosticNames.Directory, directory)));
}
