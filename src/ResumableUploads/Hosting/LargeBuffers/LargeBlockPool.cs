using System.Buffers;

namespace ResumableUploads.Hosting.LargeBuffers;

/// <summary>
/// A pool of pinned blocks of one size. Free blocks form a stack: the most recently used block, which is likely still in the CPU
/// cache, is rented next, and unused blocks gather at the bottom.
/// </summary>
/// <param name="onDisposed">Called once when the pool is disposed.</param>
internal sealed class LargeBlockPool(Action<LargeBlockPool> onDisposed) : MemoryPool<byte>
{
    internal const int BlockSize = 64 * 1024;

    /// <summary>64 MiB in total. Further returned blocks are left to the garbage collector.</summary>
    internal const int MaxFreeBlocks = 1024;

    private readonly Lock _lock = new();
    private LargeBlock? _firstFree;
    private int _freeCount;
    private int _minFreeSinceTrim;
    private int _rentedCount;
    private bool _isDisposed;

    public override int MaxBufferSize => BlockSize;

    internal int FreeCount
    {
        get
        {
            lock (_lock)
            {
                return _freeCount;
            }
        }
    }

    internal int RentedCount
    {
        get
        {
            lock (_lock)
            {
                return _rentedCount;
            }
        }
    }

    /// <summary>Rents a block of <see cref="BlockSize"/> bytes, whatever size is requested.</summary>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _rentedCount++;
            if (_firstFree is { } block)
            {
                _firstFree = block.NextFree;
                block.NextFree = null;
                block.IsRented = true;
                _freeCount--;
                _minFreeSinceTrim = Math.Min(_minFreeSinceTrim, _freeCount);
                return block;
            }
        }

        return new LargeBlock(this) { IsRented = true };
    }

    /// <summary>Returns a block. Returning it twice is harmless unless it was rented in between.</summary>
    internal void Return(LargeBlock block)
    {
        lock (_lock)
        {
            if (!block.IsRented)
            {
                return;
            }

            block.IsRented = false;
            _rentedCount--;
            if (_isDisposed || _freeCount == MaxFreeBlocks)
            {
                return;
            }

            block.NextFree = _firstFree;
            _firstFree = block;
            _freeCount++;
        }
    }

    /// <summary>Releases the blocks that were free the whole time since the last call.</summary>
    internal void Trim()
    {
        lock (_lock)
        {
            for (int unused = _minFreeSinceTrim; unused > 0; unused--)
            {
                _firstFree = _firstFree!.NextFree;
                _freeCount--;
            }

            _minFreeSinceTrim = _freeCount;
        }
    }

    /// <summary>Releases all free blocks. Rented blocks stay valid and are released when they are returned.</summary>
    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _firstFree = null;
            _freeCount = 0;
            _minFreeSinceTrim = 0;
        }

        onDisposed(this);
    }
}
