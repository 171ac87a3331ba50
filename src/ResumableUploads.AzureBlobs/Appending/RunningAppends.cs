using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>The uploads to which this store appends. A takeover must not end its own appends.</summary>
internal sealed class RunningAppends
{
    private readonly ConcurrentDictionary<UploadKey, int> _counts = [];

    public bool Contains(UploadKey key) => _counts.ContainsKey(key);

    public void Add(UploadKey key) => _counts.AddOrUpdate(key, 1, static (_, count) => count + 1);

    public void Remove(UploadKey key)
    {
        // Two appends of one upload overlap if the lease of the first one was lost.
        while (_counts.TryGetValue(key, out int count))
        {
            if (count == 1 ? _counts.TryRemove(new(key, 1)) : _counts.TryUpdate(key, count - 1, count))
            {
                return;
            }
        }
    }
}
