namespace ResumableUploads.Abstractions;

/// <summary>Specifies which failures acknowledged bytes and records survive.</summary>
public enum Durability
{
    /// <summary>A power failure or a process crash. Data and directories are synced to the disk before they are acknowledged.</summary>
    PowerLoss = 0,

    /// <summary>
    /// A process crash only. Data is written to the operating system before it is acknowledged, but not synced to the disk. This is faster, but a
    /// power failure may lose the data of the last seconds.
    /// </summary>
    ProcessCrash = 1,
}
