namespace ResumableUploads.Engine.Quotas;

/// <summary>The stored uploads and running appends of one owner. Callers must lock the instance for every access.</summary>
internal sealed class OwnerUsage
{
    private static readonly TimeSpan CountLifetime = TimeSpan.FromMinutes(10);
    private long? _countedTimestamp;

    /// <summary>Gets or sets the unfinished uploads, including reserved ones.</summary>
    public Totals Current { get; set; }

    public int ActiveAppends { get; set; }

    /// <summary>Gets or sets the task of the running count, or <see langword="null"/> if none is running.</summary>
    public Task? CountTask { get; set; }

    /// <summary>Gets or sets whether the instance was removed from the table and must no longer be used.</summary>
    public bool IsRemoved { get; set; }

    public bool IsCounted => _countedTimestamp is not null;

    public bool IsFresh(TimeProvider time) => _countedTimestamp is { } timestamp && time.GetElapsedTime(timestamp) < CountLifetime;

    public void MarkCounted(TimeProvider time) => _countedTimestamp = time.GetTimestamp();

    /// <summary>The number of uploads and of their bytes. An upload of known length counts with its full length from the start.</summary>
    public readonly record struct Totals(int Uploads, long Bytes)
    {
        /// <summary>Adds to the totals. Never goes below zero, because a removed upload may not have been counted.</summary>
        public Totals Add(int uploads, long bytes) => new(Math.Max(0, Uploads + uploads), Math.Max(0, Bytes + bytes));
    }
}
