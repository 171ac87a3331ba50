using System.Collections.Concurrent;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>The memory of all blocks of a store, in segments, up to a limit.</summary>
internal sealed class BufferPool(long maxMemory)
{
    public const int SegmentSize = 64 * 1024;

    private readonly ConcurrentBag<byte[]> _free = [];
    private readonly long _maxSegments = maxMemory / SegmentSize;
    private long _rented;

    /// <summary>Gets the number of segments in use.</summary>
    public long RentedSegments => Interlocked.Read(ref _rented);

    /// <summary>Returns a segment, or null if the limit is reached.</summary>
    public byte[]? TryRent()
    {
        if (Interlocked.Increment(ref _rented) > _maxSegments)
        {
            Interlocked.Decrement(ref _rented);
            return null;
        }

        return Take();
    }

    /// <summary>Returns a segment even if the limit is reached.</summary>
    public byte[] Rent()
    {
        Interlocked.Increment(ref _rented);
        return Take();
    }

    public void Return(byte[] segment)
    {
        // Segments above the limit are not kept.
        if (Interlocked.Decrement(ref _rented) < _maxSegments)
        {
            _free.Add(segment);
        }
    }

    private byte[] Take() => _free.TryTake(out byte[]? segment) ? segment : GC.AllocateUninitializedArray<byte>(SegmentSize);
}
