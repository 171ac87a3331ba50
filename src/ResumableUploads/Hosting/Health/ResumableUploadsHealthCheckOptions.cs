namespace ResumableUploads;

/// <summary>The options of the health check of resumable uploads.</summary>
public sealed class ResumableUploadsHealthCheckOptions
{
    /// <summary>
    /// Gets or sets whether the check tests each store: with <see cref="Abstractions.IStoreProbe"/>, it writes and syncs a small file or object; for other stores, it reads
    /// an upload that does not exist.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>. The result is used for five seconds, so that frequent requests do not load the storage.</remarks>
    public bool ProbeStores { get; set; } = true;

    /// <summary>Gets or sets the time within which a store must respond to the test. Otherwise, the check fails.</summary>
    /// <remarks>Defaults to 10 seconds.</remarks>
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the free space of the storage, in bytes, below which the check reports <c>Degraded</c>. 0 turns it off.</summary>
    /// <remarks>Defaults to 1 GiB. Only the file-system store reports its free space.</remarks>
    public long MinFreeSpace { get; set; } = 1L << 30;

    /// <summary>Gets or sets how long an operation can wait inside the store for a thread before the check reports <c>Degraded</c>.</summary>
    /// <remarks>Defaults to 30 seconds.</remarks>
    public TimeSpan MaxQueueTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the number of dead-lettered uploads in a store above which the check reports <c>Degraded</c>.</summary>
    /// <remarks>Defaults to 100. They are counted by the sweep.</remarks>
    public int MaxDeadLetteredUploads { get; set; } = 100;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ProbeTimeout, TimeSpan.Zero, nameof(ProbeTimeout));
        ArgumentOutOfRangeException.ThrowIfNegative(MinFreeSpace, nameof(MinFreeSpace));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxQueueTime, TimeSpan.Zero, nameof(MaxQueueTime));
        ArgumentOutOfRangeException.ThrowIfNegative(MaxDeadLetteredUploads, nameof(MaxDeadLetteredUploads));
    }
}
