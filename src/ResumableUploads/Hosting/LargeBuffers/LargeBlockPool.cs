using System.Buffers;

namespace ResumableUploads.Hosting.LargeBuffers;

/// <summary>
/// A pool of pinned blocks of one size. The free ones are a stack, so that the block that was used last, and is still in the processor's cache, is used next,
/// and the ones at the bottom are those that nobody needs.
/// </summary>
/// <param name="disposed">Called once, when the pool is disposed.</param>
internal sealed class LargeBlockPool(Action<LargeBlockPool> disposed) : MemoryPool<byte>
{
    internal const int BlockSize = 64 * 1024;

    /// <summary>64 MiB. Blocks beyond it that come back are left to the garbage collector.</summary>
    internal const int MaxFreeBlocks = 1024;

    private readonly Lock _lock = new();
    private LargeBlock? _firstFree;
    private int _freeCount;
    private int _minFreeSinceTrim;
    private int _rentedCount;
    private bool _disposed;

    public override int MaxBufferSize => BlockSize;

    /// <summary>How many blocks lie ready.</summary>
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

    /// <summary>How many blocks are out.</summary>
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

    /// <summary>A whole block, whatever part of it is asked for.</summary>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
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

    /// <summary>Takes a block back. A second time is no harm as long as nobody has rented it since.</summary>
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
            if (_disposed || _freeCount == MaxFreeBlocks)
            {
                return;
            }

            block.NextFree = _firstFree;
            _firstFree = block;
            _freeCount++;
        }
    }

    /// <summary>Lets go of as many blocks as lay ready all the time since the last call.</summary>
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

    /// <summary>Blocks that are out stay valid, and are not kept when they come back.</summary>
    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _firstFree = null;
            _freeCount = 0;
            _minFreeSinceTrim = 0;
        }

        disposed(this);
    }
}
