namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>The calls that share one place in the queue of a scheduler. All members are used under its lock.</summary>
internal sealed class DiskLane(DiskLaneKey key)
{
    public DiskLaneKey Key => key;

    public LinkedList<DiskCall> Waiting { get; } = [];

    public int RunningCount { get; set; }

    /// <summary>Gets or sets whether the lane is in the queue of lanes.</summary>
    public bool IsReady { get; set; }
}

/// <summary>Identifies a lane.</summary>
/// <param name="Name">What the calls have in common, such as the owner of their uploads.</param>
/// <param name="Kind">Which calls of that name.</param>
internal readonly record struct DiskLaneKey(string Name, DiskLaneKind Kind = DiskLaneKind.Device);

/// <summary>Specifies the calls of a lane. The kinds have lanes of their own, so that they do not wait for one another.</summary>
internal enum DiskLaneKind
{
    /// <summary>Calls that are expected to wait for the device.</summary>
    Device,

    /// <summary>Calls that are not expected to wait for the device.</summary>
    Cached,

    /// <summary>Syncs that an operation runs at the same time.</summary>
    Sync,
}
