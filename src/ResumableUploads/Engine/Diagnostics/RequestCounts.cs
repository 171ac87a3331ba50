using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>
/// The number of requests that have sent bytes of each unfinished upload to this process. It is only for the log, so a restart, another node or a pause of the upload may lose
/// it.
/// </summary>
internal sealed class RequestCounts
{
    /// <summary>Bounds the memory. The requests of further uploads are not counted.</summary>
    private const int MaxCount = 100_000;

    private volatile ConcurrentDictionary<UploadKey, int> _counts = new();
    private volatile ConcurrentDictionary<UploadKey, int> _olderCounts = new();

    /// <summary>Adds a request. The caller has the lock of the upload.</summary>
    public void Add(UploadKey key)
    {
        ConcurrentDictionary<UploadKey, int> counts = _counts;
        if (counts.TryGetValue(key, out int count))
        {
            counts.TryUpdate(key, count + 1, count);
        }
        else if (counts.Count < MaxCount)
        {
            _olderCounts.TryRemove(key, out int older);
            counts.TryAdd(key, older + 1);
        }
    }

    /// <summary>Removes an upload.</summary>
    /// <returns>The number of its requests, or 1 if it is unknown.</returns>
    public int Remove(UploadKey key)
    {
        bool isKnown = _counts.TryRemove(key, out int count);
        return _olderCounts.TryRemove(key, out int older) || isKnown ? count + older : 1;
    }

    /// <summary>Removes the uploads that have sent nothing since the last call. Another process may have completed them.</summary>
    public void RemoveUnused()
    {
        _olderCounts = _counts;
        _counts = new ConcurrentDictionary<UploadKey, int>();
    }
}
