using System.Buffers;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Hosting.LargeBuffers;

namespace ResumableUploads.UnitTests.Hosting.LargeBuffers;

public sealed class LargeBlockPoolTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly LargeBlockPoolFactory _factory;
    private readonly LargeBlockPool _pool;

    public LargeBlockPoolTests()
    {
        _factory = new LargeBlockPoolFactory(_time);
        _pool = (LargeBlockPool)_factory.Create();
    }

    public void Dispose()
    {
        _pool.Dispose();
        _factory.Dispose();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(LargeBlockPool.BlockSize)]
    public void Rent_returns_a_whole_block_for_any_size(int size)
    {
        using IMemoryOwner<byte> block = _pool.Rent(size);
        Assert.Equal(LargeBlockPool.BlockSize, block.Memory.Length);
    }

    [Fact]
    public void Rent_more_than_a_block_throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(LargeBlockPool.BlockSize + 1));

    [Fact]
    public void Rent_returns_the_most_recently_returned_block()
    {
        IMemoryOwner<byte> first = _pool.Rent();
        first.Dispose();
        using IMemoryOwner<byte> second = _pool.Rent();
        Assert.Same(first, second);
    }

    [Fact]
    public void Rented_block_keeps_no_reference_to_free_blocks()
    {
        IMemoryOwner<byte> first = _pool.Rent();
        IMemoryOwner<byte> second = _pool.Rent();
        first.Dispose();
        second.Dispose();
        using IMemoryOwner<byte> rented = _pool.Rent();
        Assert.Same(second, rented);
        Assert.Null(((LargeBlock)rented).NextFree);
    }

    [Fact]
    public void Block_disposed_twice_is_rented_once()
    {
        IMemoryOwner<byte> block = _pool.Rent();
        block.Dispose();
        block.Dispose();
        using IMemoryOwner<byte> one = _pool.Rent();
        using IMemoryOwner<byte> other = _pool.Rent();
        Assert.NotSame(one, other);
        Assert.Equal((0, 2), (_pool.FreeCount, _pool.RentedCount));
    }

    [Fact]
    public void Trim_releases_blocks_that_were_unused_since_the_last_trim()
    {
        RentAndReturn(100);
        _time.Advance(LargeBlockPoolFactory.TrimInterval);
        Assert.Equal(100, _pool.FreeCount);

        RentAndReturn(30);
        _time.Advance(LargeBlockPoolFactory.TrimInterval);
        Assert.Equal(30, _pool.FreeCount);

        _time.Advance(LargeBlockPoolFactory.TrimInterval);
        Assert.Equal(0, _pool.FreeCount);
    }

    [Fact]
    public void Free_blocks_are_limited_to_MaxFreeBlocks()
    {
        RentAndReturn(LargeBlockPool.MaxFreeBlocks + 10);
        Assert.Equal((LargeBlockPool.MaxFreeBlocks, 0), (_pool.FreeCount, _pool.RentedCount));
    }

    [Fact]
    public void Dispose_prevents_Rent_and_accepts_returned_blocks()
    {
        IMemoryOwner<byte> block = _pool.Rent();
        _pool.Dispose();
        _pool.Dispose();
        block.Memory.Span[0] = 1;
        block.Dispose();
        Assert.Equal((0, 0), (_pool.FreeCount, _pool.RentedCount));
        Assert.Empty(_factory.Pools);
        Assert.Throws<ObjectDisposedException>(() => _pool.Rent());
    }

    [Fact]
    public void Concurrent_rents_never_share_a_block()
    {
        Parallel.For(0, 8, worker =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                using IMemoryOwner<byte> block = _pool.Rent();
                block.Memory.Span[0] = (byte)worker;
                block.Memory.Span[^1] = (byte)worker;
                Assert.Equal((worker, worker), (block.Memory.Span[0], block.Memory.Span[^1]));
            }
        });
        Assert.Equal(0, _pool.RentedCount);
    }

    private void RentAndReturn(int count)
    {
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, count).Select(_ => _pool.Rent())];
        Array.ForEach(blocks, static block => block.Dispose());
    }
}
