using System.Buffers;
using System.Runtime.InteropServices;

namespace ResumableUploads.Hosting.LargeBuffers;

/// <summary>A block of memory from a <see cref="LargeBlockPool"/>. It is always pinned, so that system calls use it without copying.</summary>
internal sealed class LargeBlock : IMemoryOwner<byte>
{
    private readonly LargeBlockPool _pool;

    public LargeBlock(LargeBlockPool pool)
    {
        _pool = pool;
        byte[] array = GC.AllocateUninitializedArray<byte>(LargeBlockPool.BlockSize, pinned: true);
        Memory = MemoryMarshal.CreateFromPinnedArray(array, 0, array.Length);
    }

    public Memory<byte> Memory { get; }

    /// <summary>Gets or sets the next block on the pool's stack of free blocks. Guarded by the pool's lock.</summary>
    internal LargeBlock? NextFree { get; set; }

    /// <summary>Gets or sets whether the block is rented. Guarded by the pool's lock.</summary>
    internal bool IsRented { get; set; }

    public void Dispose() => _pool.Return(this);
}
