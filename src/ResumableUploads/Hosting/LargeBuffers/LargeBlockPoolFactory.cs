using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace ResumableUploads.Hosting.LargeBuffers;

/// <summary>Makes pools of large blocks, and lets them trim themselves from time to time. Kestrel asks for one pool for each of its I/O queues.</summary>
internal sealed class LargeBlockPoolFactory : IMemoryPoolFactory<byte>, IDisposable
{
    internal static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<LargeBlockPool, bool> _pools = new();
    private readonly ITimer _timer;

    public LargeBlockPoolFactory(TimeProvider time)
    {
        using (ExecutionContext.SuppressFlow())
        {
            _timer = time.CreateTimer(static state => ((LargeBlockPoolFactory)state!).Trim(), this, TrimInterval, TrimInterval);
        }
    }

    /// <summary>The pools that are in use.</summary>
    internal IEnumerable<LargeBlockPool> Pools => _pools.Keys;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null)
    {
        var pool = new LargeBlockPool(gone => _pools.TryRemove(gone, out _));
        _pools[pool] = true;
        return pool;
    }

    /// <summary>Ends the trimming. The pools belong to whoever asked for them, and go on.</summary>
    public void Dispose() => _timer.Dispose();

    private void Trim()
    {
        foreach (LargeBlockPool pool in Pools)
        {
            pool.Trim();
        }
    }
}
