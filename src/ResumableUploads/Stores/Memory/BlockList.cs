using System.Buffers;

namespace ResumableUploads.Stores.Memory;

/// <summary>
/// A content that only grows. One writer at a time; any number of readers beside it. The blocks go back to the pool when the last
/// holder lets go, so that a reader never sees memory that has a new owner.
/// </summary>
internal sealed class BlockList(MemoryBudget budget, ArrayPool<byte> pool)
{
    /// <summary>The blocks grow with the content, so that a small upload is cheap. The largest is under the large-object limit of 85,000 bytes.</summary>
    private const int SmallBlockSize = 4 * 1024;
    private const int MediumBlockSize = 16 * 1024;
    private const int LargeBlockSize = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly List<Block> _blocks = [];
    private Block? _tail;
    private int _referenceCount = 1;

    /// <summary>How many bytes the writer has put in.</summary>
    public long Length { get; private set; }

    /// <summary>Keeps the blocks from going back, until <see cref="ReleaseReference"/>. The caller knows of another holder.</summary>
    public void AddReference()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_referenceCount == 0, this);
            _referenceCount++;
        }
    }

    /// <summary>Lets go. The last one to do so returns the blocks.</summary>
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

    /// <summary>Adds bytes until the budget is used up, and tells how many fitted.</summary>
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

    /// <summary>Adds a whole other content, which is empty afterwards. Needs no room: either the bytes fit behind the last one, or the blocks move.</summary>
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

    /// <summary>The block that has the byte at a position which has been written.</summary>
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
        int wanted = Length < SmallBlockSize ? SmallBlockSize : Length < SmallBlockSize + MediumBlockSize ? MediumBlockSize : LargeBlockSize;

        // Near the cap a smaller block may still fit, and keeps a little more of what came.
        for (int size = wanted; size >= SmallBlockSize; size /= 4)
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
