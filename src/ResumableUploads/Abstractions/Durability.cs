namespace ResumableUploads.Abstractions;

/// <summary>Specifies which failures acknowledged bytes and records survive.</summary>
public enum Durability
{
    /// <summary>A loss of power, and everything less. Data and directories are synced to the disk before anything is acknowledged.</summary>
    PowerLoss = 0,

    /// <summary>
    /// The death of the process. Data is handed to the operating system before it is acknowledged, but not synced to the disk. This is faster; a
    /// loss of power may lose the last seconds.
    /// </summary>
    ProcessCrash = 1,
}
