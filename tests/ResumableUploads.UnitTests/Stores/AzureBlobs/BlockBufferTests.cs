using ResumableUploads.AzureBlobs.Appending;

namespace ResumableUploads.UnitTests.Stores.AzureBlobs;

public class BlockBufferTests
{
    [Fact]
    public void Write_stops_at_the_capacity_and_the_stream_has_the_bytes()
    {
        var pool = new BufferPool(1024 * 1024);
        byte[] bytes = new byte[200_000];
        new Random(1).NextBytes(bytes);
        using var buffer = new BlockBuffer(pool);
        Assert.Equal(100_000, buffer.Write(bytes.AsSpan(0, 100_000), 150_000));
        Assert.Equal(50_000, buffer.Write(bytes.AsSpan(100_000), 150_000));
        Assert.Equal(0, buffer.Write(bytes, 150_000));
        using Stream stream = buffer.OpenRead();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        Assert.Equal(bytes[..150_000], copy.ToArray());
        stream.Position = 70_000;
        Assert.Equal(bytes[70_000], stream.ReadByte());
    }

    [Fact]
    public void Write_without_memory_keeps_one_segment_for_each_buffer()
    {
        var pool = new BufferPool(2 * BufferPool.SegmentSize);
        using var first = new BlockBuffer(pool);
        using var second = new BlockBuffer(pool);
        byte[] bytes = new byte[5 * BufferPool.SegmentSize];
        Assert.Equal(2 * BufferPool.SegmentSize, first.Write(bytes, bytes.Length));
        Assert.Equal(BufferPool.SegmentSize, second.Write(bytes, bytes.Length));
        Assert.Equal(0, second.Write(bytes, bytes.Length));
        Assert.Equal(3, pool.RentedSegments);
        first.Dispose();
        Assert.Equal(BufferPool.SegmentSize, second.Write(bytes, 2 * BufferPool.SegmentSize));
        second.Dispose();
        Assert.Equal(0, pool.RentedSegments);
    }
}
