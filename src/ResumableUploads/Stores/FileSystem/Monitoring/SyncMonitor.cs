namespace ResumableUploads.Stores.FileSystem.Monitoring;

/// <summary>Records how long the syncs of a store take, and passes those in its directory to a detector of slow disks.</summary>
internal sealed class SyncMonitor(string directory, TimeProvider time, SlowSyncDetector detector)
{
    private readonly string _prefix = Path.EndsInDirectorySeparator(directory) ? directory : directory + Path.DirectorySeparatorChar;

    public long GetTimestamp() => time.GetTimestamp();

    /// <summary>Records a sync that has ended, successfully or not.</summary>
    /// <param name="path">The file or directory.</param>
    /// <param name="start">The time at which it began.</param>
    public void Record(string path, long start)
    {
        TimeSpan duration = time.GetElapsedTime(start);
        bool isInStore = path.StartsWith(_prefix, StringComparison.Ordinal) || path == directory;
        DiskMetrics.RecordSync(directory, isInStore, duration);
        if (isInStore)
        {
            detector.Add(duration);
        }
    }
}
