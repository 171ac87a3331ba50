using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace ResumableUploads.Hosting.LargeBuffers;

/// <summary>Creates pools of large blocks and trims them periodically. Kestrel creates one pool per I/O queue.</summary>
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

    internal IEnumerable<LargeBlockPool> Pools => _pools.Keys;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null)
    {
        var pool = new LargeBlockPool(disposed => _pools.TryRemove(disposed, out _));
        _pools[pool] = true;
        return pool;
    }

    /// <summary>Stops trimming. The pools are disposed by their users.</summary>
    public void Dispose() => _timer.Dispose();

    private void Trim()
    {
        foreach (LargeBlockPool pool in Pools)
        {
            pool.Trim();
        }
    }
}
