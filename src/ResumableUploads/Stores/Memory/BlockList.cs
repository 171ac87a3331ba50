using System.Buffers;

namespace ResumableUploads.Stores.Memory;

/// <summary>
/// The content of an upload, which only grows. One writer at a time; any number of concurrent readers. Reference-counted: the blocks are returned to the
/// pool when the last reference is released, so that a reader never sees memory that is in use elsewhere.
/// </summary>
internal sealed class BlockList(MemoryBudget budget, ArrayPool<byte> pool)
{
    // Larger content gets larger blocks, so that a small upload is cheap. The largest size is below the large-object limit of 85,000 bytes.
    private const int SmallBlockSize = 4 * 1024;
    private const int MediumBlockSize = 16 * 1024;
    private const int LargeBlockSize = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly List<Block> _blocks = [];
    private Block? _tail;
    private int _referenceCount = 1;

    /// <summary>Gets the number of written bytes.</summary>
    public long Length { get; private set; }

    /// <summary>Adds a reference, to be released with <see cref="ReleaseReference"/>. Another reference must exist.</summary>
    public void AddReference()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_referenceCount == 0, this);
            _referenceCount++;
        }
    }

    /// <summary>Releases a reference. The last release returns the blocks to the pool.</summary>
    public void ReleaseReference()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_referenceCount == 0, this);
            if (--_referenceCount > 0)
            {
                return;
            }

            foreach (Block block in _blocks)
            {
                pool.Return(block.Array);
                budget.Release(block.Size);
            }

            _blocks.Clear();
            _tail = null;
        }
    }

    /// <summary>Appends bytes until the budget is used up and returns the number of bytes that fitted.</summary>
    public long Write(in ReadOnlySequence<byte> bytes)
    {
        long before = Length;
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            ReadOnlySpan<byte> rest = segment.Span;
            while (!rest.IsEmpty)
            {
                if (_tail is not { FreeSpace: > 0 } && !TryAddBlock())
                {
                    return Length - before;
                }

                int count = _tail!.Append(rest);
                Length += count;
                rest = rest[count..];
            }
        }

        return Length - before;
    }

    /// <summary>
    /// Appends the content of another list, which is unusable afterwards. No memory is reserved, because the bytes are copied into the last
    /// block if they fit; otherwise, the blocks are moved.
    /// </summary>
    public void MoveFrom(BlockList other)
    {
        lock (_lock)
        {
            bool fits = _tail is not null && other.Length <= _tail.FreeSpace;
            foreach (Block block in other._blocks)
            {
                if (fits)
                {
                    _tail!.Append(block.WrittenSpan);
                    Length += block.WrittenSpan.Length;
                }
                else
                {
                    block.SetStartOffset(Length);
                    _blocks.Add(block);
                    _tail = block;
                    Length = block.EndOffset;
                }
            }

            if (!fits)
            {
                other._blocks.Clear();
                other._tail = null;
                other.Length = 0;
            }
        }
    }

    /// <summary>Returns the block with the byte at a position that has been written.</summary>
    public Block FindBlock(long position)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_referenceCount == 0, this);
            int low = 0;
            int high = _blocks.Count - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                (low, high) = _blocks[middle].StartOffset <= position ? (middle, high) : (low, middle - 1);
            }

            return _blocks[low];
        }
    }

    private bool TryAddBlock()
    {
        int preferredSize = Length < SmallBlockSize ? SmallBlockSize : Length < SmallBlockSize + MediumBlockSize ? MediumBlockSize : LargeBlockSize;

        // If the budget is nearly used up, a smaller block may still fit.
        for (int size = preferredSize; size >= SmallBlockSize; size /= 4)
        {
            if (budget.TryReserveForContent(size))
            {
                byte[] array;
                try
                {
                    array = pool.Rent(size);
                }
                catch (OutOfMemoryException)
                {
                    budget.Release(size);
                    return false;
                }

                lock (_lock)
                {
                    _tail = new Block(array, size, Length);
                    _blocks.Add(_tail);
                }

                return true;
            }
        }

        return false;
    }
}
