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
    public void A_block_is_whole_whatever_is_asked_for(int asked)
    {
        using IMemoryOwner<byte> block = _pool.Rent(asked);
        Assert.Equal(LargeBlockPool.BlockSize, block.Memory.Length);
    }

    [Fact]
    public void More_than_a_block_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(LargeBlockPool.BlockSize + 1));

    [Fact]
    public void A_block_that_came_back_is_the_next_to_go_out()
    {
        IMemoryOwner<byte> first = _pool.Rent();
        first.Dispose();
        using IMemoryOwner<byte> second = _pool.Rent();
        Assert.Same(first, second);
    }

    [Fact]
    public void A_block_that_is_returned_twice_goes_out_once()
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
    public void After_a_burst_what_nobody_needs_is_let_go()
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
    public void The_free_blocks_are_bounded()
    {
        RentAndReturn(LargeBlockPool.MaxFreeBlocks + 10);
        Assert.Equal((LargeBlockPool.MaxFreeBlocks, 0), (_pool.FreeCount, _pool.RentedCount));
    }

    [Fact]
    public void A_disposed_pool_gives_nothing_and_takes_back_what_is_out()
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
    public void A_block_is_never_out_twice_at_a_time()
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
