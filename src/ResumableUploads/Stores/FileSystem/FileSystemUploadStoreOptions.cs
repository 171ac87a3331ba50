using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Options for <see cref="FileSystemUploadStore"/>.</summary>
public sealed class FileSystemUploadStoreOptions
{
    internal const int MinMaxThreads = 4;
    internal const int MaxMaxThreads = 4096;

    /// <summary>
    /// Gets or sets the directory of the store. Nothing else may use it. It is created if its parent exists; a relative path is resolved
    /// against the current directory. All of it must be on one file system that supports file locks. Required; there is no default.
    /// </summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// Gets or sets the failures that acknowledged bytes survive. An upload keeps the value with which it was created. The default is
    /// <see cref="Durability.PowerLoss"/>.
    /// </summary>
    public Durability Durability { get; set; } = Durability.PowerLoss;

    /// <summary>
    /// Gets or sets the number of bytes that an append writes before it makes them durable. Must be greater than 0. Only used with
    /// <see cref="Durability.PowerLoss"/>. The default is 67,108,864 (64 MiB).
    /// </summary>
    public long SyncSize { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the time after which an append makes the bytes durable that have arrived. Must be greater than zero. Only used with
    /// <see cref="Durability.PowerLoss"/>. The default is 5 seconds.
    /// </summary>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the maximum number of threads on which the store waits for the disk. They are created when they are needed and end when they are idle.
    /// More calls than that wait in a queue. Uploads of one owner get at most three quarters of them. Between 4 and 4,096. The default is 512.
    /// </summary>
    public int MaxThreads { get; set; } = 512;

    /// <exception cref="ArgumentException">An option is missing or out of range.</exception>
    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(Directory))
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.Directory must be set to the directory in which uploads are stored.", "options");
        }

        if (SyncSize <= 0 || SyncInterval <= TimeSpan.Zero)
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.SyncSize and SyncInterval must be greater than zero.", "options");
        }

        if (!Enum.IsDefined(Durability))
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.Durability must be PowerLoss or ProcessCrash.", "options");
        }

        if (MaxThreads is < MinMaxThreads or > MaxMaxThreads)
        {
            throw new ArgumentException("FileSystemUploadStoreOptions.MaxThreads must be between 4 and 4,096.", "options");
        }
    }
}
