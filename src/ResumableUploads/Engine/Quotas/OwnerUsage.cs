namespace ResumableUploads.Engine.Quotas;

/// <summary>What is known of one owner. Who reads or changes it holds its lock.</summary>
internal sealed class OwnerUsage
{
    private static readonly TimeSpan CountLifetime = TimeSpan.FromMinutes(10);
    private long? _countedAt;

    /// <summary>What is unfinished.</summary>
    public Totals Current { get; set; }

    public int ActiveAppends { get; set; }

    /// <summary>Ends with the count that runs now, or null.</summary>
    public Task? CountTask { get; set; }

    public bool IsRemoved { get; set; }

    public bool IsCounted => _countedAt is not null;

    public bool IsFresh(TimeProvider time) => _countedAt is { } at && time.GetElapsedTime(at) < CountLifetime;

    public void MarkCounted(TimeProvider time) => _countedAt = time.GetTimestamp();

    /// <summary>So many uploads and the bytes that they have or will have.</summary>
    public readonly record struct Totals(int Uploads, long Bytes)
    {
        /// <summary>Never less than nothing: what is taken away may not have been counted.</summary>
        public Totals Add(int uploads, long bytes) => new(Math.Max(0, Uploads + uploads), Math.Max(0, Bytes + bytes));
    }
}
