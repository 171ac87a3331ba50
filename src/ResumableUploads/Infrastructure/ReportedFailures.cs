using System.Collections.Concurrent;

namespace ResumableUploads.Infrastructure;

/// <summary>Remembers failures that were logged, so that one that lasts is not logged by every sweep.</summary>
/// <typeparam name="TKey">The type of what failures are about.</typeparam>
internal sealed class ReportedFailures<TKey>
    where TKey : notnull
{
    /// <summary>Bounds the memory. More failures are logged each time.</summary>
    private const int MaxCount = 10_000;

    private readonly ConcurrentDictionary<TKey, byte> _keys = [];

    /// <summary>Adds a failure.</summary>
    /// <returns>False if it was added before and has not ended.</returns>
    public bool TryAdd(TKey key) => _keys.Count < MaxCount ? _keys.TryAdd(key, 0) : !_keys.ContainsKey(key);

    /// <summary>Removes a failure, which has ended.</summary>
    public void Remove(TKey key) => _keys.TryRemove(key, out _);
}
