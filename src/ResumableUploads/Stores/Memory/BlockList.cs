using System.Buffers;

namespace ResumableUploads.Stores.Memory;

/// <summary>
/// A content that only grows. One writer at a time; any number of readers beside it. The blocks go back to the pool when the last
/// holder lets go, so that a reader never sees memory that has a new owner.
/// </summary>
internal sealed class BlockList(MemoryBudget budget, ArrayPool<byte> pool)
{
    /// <summary>The blocks grow with the content, so that a small upload is cheap. The largest is under the large-object limit of 85,000 bytes.</summary>
    private const int SmallBlock = 4 * 1024;
    private const int MiddleBlock = 16 * 1024;
    private const int LargeBlock = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly List<Block> _blocks = [];
    private Block? _tail;
    private int _holders = 1;

    /// <summary>How many bytes the writer has put in.</summary>
    public long Length { get; private set; }

    /// <summary>Keeps the blocks from going back, until <see cref="Release"/>. The caller knows of another holder.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_holders == 0, this);
            _holders++;
        }
    }

    /// <summary>Lets go. The last one to do so returns the blocks.</summary>
    public void Release()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_holders == 0, this);
            if (--_holders > 0)
            {
                return;
            }

            foreach (Block block in _blocks)
            {
                pool.Return(block.Array);
                budget.Return(block.Size);
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
                if (_tail is not { Room: > 0 } && !TryGrow())
                {
                    return Length - before;
                }

                int count = _tail!.Add(rest);
                Length += count;
                rest = rest[count..];
            }
        }

        return Length - before;
    }

    /// <summary>Adds a whole other content, which is empty afterwards. Needs no room: either the bytes fit behind the last one, or the blocks move.</summary>
    public void TakeOver(BlockList other)
    {
        lock (_gate)
        {
            bool fits = _tail is not null && other.Length <= _tail.Room;
            foreach (Block block in other._blocks)
            {
                if (fits)
                {
                    _tail!.Add(block.Bytes);
                    Length += block.Bytes.Length;
                }
                else
                {
                    block.PlaceAt(Length);
                    _blocks.Add(block);
                    _tail = block;
                    Length = block.End;
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
    public Block Find(long position)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_holders == 0, this);
            int low = 0;
            int high = _blocks.Count - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                (low, high) = _blocks[middle].Start <= position ? (middle, high) : (low, middle - 1);
            }

            return _blocks[low];
        }
    }

    private bool TryGrow()
    {
        int wanted = Length < SmallBlock ? SmallBlock : Length < SmallBlock + MiddleBlock ? MiddleBlock : LargeBlock;

        // Near the cap a smaller block may still fit, and keeps a little more of what came.
        for (int size = wanted; size >= SmallBlock; size /= 4)
        {
            if (budget.TryTakeForContent(size))
            {
                byte[] array;
                try
                {
                    array = pool.Rent(size);
                }
                catch (OutOfMemoryException)
                {
                    budget.Return(size);
                    return false;
                }

                lock (_gate)
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
