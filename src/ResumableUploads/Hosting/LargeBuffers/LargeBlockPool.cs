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
    internal const int MaxFree = 1024;

    private readonly Lock _lock = new();
    private LargeBlock? _top;
    private int _free;
    private int _leastFree;
    private int _rented;
    private bool _disposed;

    public override int MaxBufferSize => BlockSize;

    /// <summary>How many blocks lie ready.</summary>
    internal int Free
    {
        get
        {
            lock (_lock)
            {
                return _free;
            }
        }
    }

    /// <summary>How many blocks are out.</summary>
    internal int Rented
    {
        get
        {
            lock (_lock)
            {
                return _rented;
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
            _rented++;
            if (_top is { } block)
            {
                _top = block.Next;
                block.Next = null;
                block.IsRented = true;
                _free--;
                _leastFree = Math.Min(_leastFree, _free);
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
            _rented--;
            if (_disposed || _free == MaxFree)
            {
                return;
            }

            block.Next = _top;
            _top = block;
            _free++;
        }
    }

    /// <summary>Lets go of as many blocks as lay ready all the time since the last call.</summary>
    internal void Trim()
    {
        lock (_lock)
        {
            for (int unused = _leastFree; unused > 0; unused--)
            {
                _top = _top!.Next;
                _free--;
            }

            _leastFree = _free;
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
            _top = null;
            _free = 0;
            _leastFree = 0;
        }

        disposed(this);
    }
}
