using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What a <see cref="FileSystemUploadStore"/> can be told.</summary>
public sealed class FileSystemUploadStoreOptions
{
    /// <summary>
    /// The directory that belongs to the store alone. It is made when it is missing and its parent is there; a relative path counts from
    /// the current directory. All of it is on one file system, and one with working file locks. There is no default: it must be set.
    /// </summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// What acknowledged bytes survive. It is fixed for an upload when it is created. Default: <see cref="Durability.PowerLoss"/>.
    /// </summary>
    public Durability Durability { get; set; } = Durability.PowerLoss;

    /// <summary>
    /// With <see cref="Durability.PowerLoss"/>: how many bytes an append may write before it makes them durable. Default: 67,108,864 (64 MiB).
    /// </summary>
    public long SyncSize { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// With <see cref="Durability.PowerLoss"/>: how long an append in which bytes arrive may go on before it makes them durable.
    /// Default: 5 seconds.
    /// </summary>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(5);
}
