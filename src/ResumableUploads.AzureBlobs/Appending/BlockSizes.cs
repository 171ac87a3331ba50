namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>How large the blocks of an append blob are, so that a long upload does not exceed the maximum number of blocks.</summary>
internal static class BlockSizes
{
    public const int MinSize = 64 * 1024;
    public const int MaxSize = 100 * 1024 * 1024;

    /// <summary>The maximum number of blocks of an append blob.</summary>
    public const int MaxBlocks = 50_000;

    // With an unknown length, blocks stay at the minimum for this many blocks and then grow with the offset.
    private const int BlocksBeforeGrowth = 8_000;

    /// <summary>Returns the size of the next full block.</summary>
    /// <param name="offset">The offset of the block.</param>
    /// <param name="blocks">The number of blocks that the blob has.</param>
    /// <param name="length">The length of the whole content, or null if it is unknown.</param>
    /// <param name="minSize">The minimum size.</param>
    public static int Next(long offset, int blocks, long? length, int minSize)
    {
        long size = minSize;
        if (length is { } known)
        {
            // A fifth of the blocks that are left is spare, for blocks that are not full.
            long usable = Math.Max(1, (long)(MaxBlocks - blocks) * 4 / 5);
            size = Math.Max(size, (Math.Max(0, known - offset) + usable - 1) / usable);
        }
        else
        {
            size = Math.Max(size, offset / BlocksBeforeGrowth);
        }

        return (int)Math.Min(size, MaxSize);
    }
}
