namespace ResumableUploads.Stores.Memory;

/// <summary>Counts what a store holds against its cap. Content and new uploads leave a part of the cap to records and outcomes.</summary>
internal sealed class MemoryBudget(long total)
{
    private long _used;

    /// <summary>
    /// What content and new uploads may use: all but a thirty-second part. Without that rest, an upload in a full store could not be
    /// marked as received, so nothing would ever make room again.
    /// </summary>
    public long ContentLimit { get; } = total - (total / 32);

    /// <summary>How many bytes are in use now.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Takes room for content or for a new upload, or takes nothing.</summary>
    public bool TryReserveForContent(long bytes) => TryReserve(bytes, ContentLimit);

    /// <summary>Takes room for a record that changes or for an outcome, or takes nothing.</summary>
    public bool TryReserveForRecord(long bytes) => TryReserve(bytes, total);

    /// <summary>Gives room back.</summary>
    public void Release(long bytes) => Interlocked.Add(ref _used, -bytes);

    private bool TryReserve(long bytes, long limit)
    {
        long used = Interlocked.Read(ref _used);
        while (bytes <= limit - used)
        {
            long seen = Interlocked.CompareExchange(ref _used, used + bytes, used);
            if (seen == used)
            {
                return true;
            }

            used = seen;
        }

        return false;
    }
}
