using System.Collections.Concurrent;

namespace ResumableUploads.S3.Appending;

/// <summary>Pooled blocks of memory, whose total size has a limit.</summary>
internal sealed class BufferBudget(long maxBytes) : IDisposable
{
    public const int BlockSize = 64 * 1024;

    private readonly SemaphoreSlim _available = new((int)Math.Min(maxBytes / BlockSize, int.MaxValue));
    private readonly ConcurrentStack<byte[]> _free = new();

    /// <summary>Returns a block if one is available now.</summary>
    public byte[]? TryRent() => _available.Wait(0, CancellationToken.None) ? TakeBlock() : null;

    /// <summary>Waits for a block. The caller must not hold blocks that it does not return meanwhile.</summary>
    public async Task<byte[]> RentAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        return TakeBlock();
    }

    public void Return(IReadOnlyCollection<byte[]> blocks)
    {
        foreach (byte[] block in blocks)
        {
            _free.Push(block);
        }

        if (blocks.Count > 0)
        {
            _available.Release(blocks.Count);
        }
    }

    public void Dispose() => _available.Dispose();

    private byte[] TakeBlock() => _free.TryPop(out byte[]? block) ? block : GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);
}
