namespace ResumableUploads.Engine.Owners;

/// <summary>What is known of one owner. Who reads or changes it holds its lock.</summary>
internal sealed class OwnerAccount
{
    private static readonly TimeSpan CountedFor = TimeSpan.FromMinutes(10);
    private long? _countedAt;

    /// <summary>What is unfinished.</summary>
    public Sum Now { get; set; }

    public int Appends { get; set; }

    /// <summary>Ends with the count that runs now, or null.</summary>
    public Task? Counting { get; set; }

    public bool IsForgotten { get; set; }

    public bool IsCounted => _countedAt is not null;

    public bool IsFresh(TimeProvider time) => _countedAt is { } at && time.GetElapsedTime(at) < CountedFor;

    public void Counted(TimeProvider time) => _countedAt = time.GetTimestamp();

    /// <summary>So many uploads and the bytes that they have or will have.</summary>
    public readonly record struct Sum(int Uploads, long Bytes)
    {
        /// <summary>Never less than nothing: what is taken away may not have been counted.</summary>
        public Sum Plus(int uploads, long bytes) => new(Math.Max(0, Uploads + uploads), Math.Max(0, Bytes + bytes));
    }
}
