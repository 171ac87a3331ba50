namespace ResumableUploads.Stores.Memory;

/// <summary>Counts the memory of a store against its limit.</summary>
internal sealed class MemoryBudget(long total)
{
    private long _used;

    /// <summary>
    /// Gets the limit, in bytes, for content and new uploads: 31/32 of the total. The rest is reserved for records and responses. Otherwise an upload in
    /// a full store could not be marked as received or completed, and its memory would never be released.
    /// </summary>
    public long ContentLimit { get; } = total - (total / 32);

    /// <summary>Gets the number of used bytes.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Reserves memory for content or a new upload.</summary>
    public bool TryReserveForContent(long bytes) => TryReserve(bytes, ContentLimit);

    /// <summary>Reserves memory for a changed record or a response.</summary>
    public bool TryReserveForRecord(long bytes) => TryReserve(bytes, total);

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
