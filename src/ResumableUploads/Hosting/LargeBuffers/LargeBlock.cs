using System.Buffers;
using System.Runtime.InteropServices;

namespace ResumableUploads.Hosting.LargeBuffers;

/// <summary>A block of a pool. It is pinned for good, so that a system call takes it as it is.</summary>
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

    /// <summary>The one below it on the stack of free blocks. The pool's, under its lock.</summary>
    internal LargeBlock? NextFree { get; set; }

    /// <summary>Whether it is out. The pool's, under its lock.</summary>
    internal bool IsRented { get; set; }

    public void Dispose() => _pool.Return(this);
}
