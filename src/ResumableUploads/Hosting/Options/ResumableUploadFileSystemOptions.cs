using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>Configures the file-system store in <see cref="ResumableUploadOptions.Directory"/>.</summary>
public sealed class ResumableUploadFileSystemOptions
{
    /// <summary>Gets or sets what acknowledged bytes survive.</summary>
    /// <remarks>Defaults to <see cref="Durability.PowerLoss"/>. An upload keeps the value with which it was created.</remarks>
    public Durability Durability { get; set; } = Durability.PowerLoss;

    /// <summary>Gets or sets the number of bytes after which a running append is synced to the disk.</summary>
    /// <remarks>Defaults to 64 MiB. Must be greater than 0. Used with <see cref="Durability.PowerLoss"/>.</remarks>
    public long SyncSize { get; set; } = 64L << 20;

    /// <summary>Gets or sets the time after which a running append is synced to the disk.</summary>
    /// <remarks>Defaults to 5 seconds. Must be greater than zero and at most 49 days. Used with <see cref="Durability.PowerLoss"/>.</remarks>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the maximum number of threads on which the store waits for the disk. They are created when they are needed and end when they are idle.
    /// More calls wait in a queue. The uploads of one owner get at most three quarters of the threads.
    /// </summary>
    /// <remarks>Defaults to 512. Must be between 4 and 4,096.</remarks>
    public int MaxThreads { get; set; } = 512;
}
