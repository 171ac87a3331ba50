namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>The calls that share one place in the queue of a scheduler. All members are used under its lock.</summary>
internal sealed class DiskLane(string name)
{
    public string Name => name;

    public LinkedList<DiskCall> Waiting { get; } = [];

    public int RunningCount { get; set; }

    /// <summary>Gets or sets whether the lane is in the queue of lanes.</summary>
    public bool IsReady { get; set; }
}
