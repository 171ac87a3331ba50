using ResumableUploads.Engine.Expiration;

namespace ResumableUploads;

/// <summary>The uploads of a store, as of its last successful sweep. Processes that share a store report the same uploads.</summary>
public sealed class UploadStoreStatistics
{
    internal UploadStoreStatistics(string name, SweepStatus status)
    {
        Name = name;
        LastSweep = status.LastSucceeded;
        FreeSpace = status.FreeSpace;
        HeldUploads held = status.Held ?? default;
        Receiving = UploadTotals.From(held.Receiving);
        Received = UploadTotals.From(held.Received);
        DeadLettered = UploadTotals.From(held.DeadLettered);
        Completed = UploadTotals.From(held.Completed);
        Endpoints = [.. status.Endpoints.Select(static entry => new UploadEndpointUsage(entry.Key.Endpoint, entry.Key.Protocol, UploadTotals.From(entry.Value)))];
        Owners = [.. status.TopOwners.Select(static entry => new UploadOwnerUsage(entry.Key, UploadTotals.From(entry.Value)))];
    }

    /// <summary>Gets the name of the store: its type, and a number if the application has several stores of the type.</summary>
    public string Name { get; }

    /// <summary>Gets the time at which the last successful sweep ended, or <see langword="null"/> if none has ended yet. The totals are then zero.</summary>
    public DateTimeOffset? LastSweep { get; }

    /// <summary>Gets the free space of the storage, in bytes, or <see langword="null"/> if it is unknown.</summary>
    public long? FreeSpace { get; }

    /// <summary>Gets the uploads that miss bytes or parts.</summary>
    public UploadTotals Receiving { get; }

    /// <summary>
    /// Gets the uploads whose bytes are stored and whose completion handler runs, has not run yet, or has failed and runs again. Includes uploads that are
    /// dead-lettered by the fault of their client.
    /// </summary>
    public UploadTotals Received { get; }

    /// <summary>Gets the uploads whose completion handler does not run again, except those by the fault of their client.</summary>
    public UploadTotals DeadLettered { get; }

    /// <summary>Gets the completed uploads.</summary>
    public UploadTotals Completed { get; }

    /// <summary>
    /// Gets the uploads by endpoint and protocol, those with the most bytes first. The first 100 of the sweep have an entry of their own, and all others a common one without
    /// names. Includes uploads that the sweep has removed.
    /// </summary>
    public IReadOnlyList<UploadEndpointUsage> Endpoints { get; }

    /// <summary>
    /// Gets the 20 owners that have the most bytes, those with the most first. Exact if the store has at most 2,000 owners, or lists the uploads of an owner one after the
    /// other, as the stores of this package do; otherwise an owner can be missing or have less than its bytes. Includes uploads that
    /// the sweep has removed, and those whose content was moved away before their handler has succeeded.
    /// </summary>
    public IReadOnlyList<UploadOwnerUsage> Owners { get; }
}
