using ResumableUploads.AzureBlobs.Appending;

namespace ResumableUploads.UnitTests.Stores.AzureBlobs;

public class BlockSizesTests
{
    private const int MiB = 1024 * 1024;

    [Theory]
    [InlineData(0L, 4 * MiB)]
    [InlineData(100L << 30, 4 * MiB)]
    [InlineData(40_000L * 4 * MiB, 4 * MiB)]
    [InlineData(40_000L * 5 * MiB, 5 * MiB)]
    [InlineData(10L << 40, 100 * MiB)]
    public void Next_of_known_length_leaves_a_fifth_of_the_blocks(long length, int size)
    {
        Assert.Equal(size, BlockSizes.Next(0, 0, length, 4 * MiB));
    }

    [Theory]
    [InlineData(1L << 30)]
    [InlineData(1L << 40)]
    [InlineData(3L << 40)]
    public void Upload_of_known_length_fits_although_a_sixth_of_the_blocks_is_small(long length)
    {
        long offset = 0;
        int blocks = 0;
        for (; offset < length && blocks <= BlockSizes.MaxBlocks; blocks++)
        {
            int size = BlockSizes.Next(offset, blocks, length, 4 * MiB);
            offset += blocks % 6 == 5 ? 1 : size;
        }

        Assert.InRange(blocks, 1, BlockSizes.MaxBlocks);
    }

    [Fact]
    public void Upload_of_unknown_length_can_have_2_TiB()
    {
        long offset = 0;
        for (int blocks = 0; blocks < BlockSizes.MaxBlocks; blocks++)
        {
            int size = BlockSizes.Next(offset, blocks, length: null, 4 * MiB);
            Assert.InRange(size, 4 * MiB, BlockSizes.MaxSize);
            offset += size;
        }

        Assert.True(offset > 2L << 40, $"{offset}");
    }
}
