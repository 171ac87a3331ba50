using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>The uploads of a store, by key and in the order of their keys, so that a listing can start anywhere without reading all keys.</summary>
internal sealed class UploadTable
{
    /// <summary>The number of keys that a listing reads at a time.</summary>
    private const int BatchSize = 128;

    /// <summary>The smallest id.</summary>
    private const string MinId = "0";

    private static readonly string MaxPart = new('z', UploadKey.MaxPartLength);

    private readonly ConcurrentDictionary<UploadKey, MemoryUpload> _uploads = new();
    private readonly SortedSet<UploadKey> _keys = new(UploadKeyComparer.Instance);

    // Held while both collections are changed.
    private readonly Lock _lock = new();

    public IEnumerable<MemoryUpload> All => _uploads.Values;

    public MemoryUpload? Find(UploadKey key) => _uploads.GetValueOrDefault(key);

    public bool TryAdd(MemoryUpload upload)
    {
        lock (_lock)
        {
            return _uploads.TryAdd(upload.Key, upload) && _keys.Add(upload.Key);
        }
    }

    /// <summary>Removes an upload, unless its key belongs to another upload by now.</summary>
    public void Remove(MemoryUpload upload)
    {
        lock (_lock)
        {
            if (_uploads.TryRemove(KeyValuePair.Create(upload.Key, upload)))
            {
                _keys.Remove(upload.Key);
            }
        }
    }

    /// <summary>Returns the keys of an owner, or of all owners if it is null, in order. Keys that are added or removed meanwhile may be missing.</summary>
    /// <param name="owner">The owner, which may be one that no key can have.</param>
    /// <param name="after">The key before the first one, or null for the first key.</param>
    public IEnumerable<UploadKey> GetKeys(string? owner, UploadKey? after)
    {
        if (owner is not null && !UploadKey.IsValidPart(owner))
        {
            yield break;
        }

        var first = new UploadKey(owner ?? MinId, MinId);
        var last = new UploadKey(owner ?? MaxPart, MaxPart);
        while (true)
        {
            UploadKey[] batch = GetBatch(first, last, after);
            foreach (UploadKey key in batch)
            {
                yield return key;
            }

            if (batch.Length < BatchSize)
            {
                yield break;
            }

            after = batch[^1];
        }
    }

    private UploadKey[] GetBatch(UploadKey first, UploadKey last, UploadKey? after)
    {
        UploadKey from = after is { } key && UploadKeyComparer.Instance.Compare(key, first) > 0 ? key : first;
        if (UploadKeyComparer.Instance.Compare(from, last) > 0)
        {
            return [];
        }

        lock (_lock)
        {
            return [.. _keys.GetViewBetween(from, last).SkipWhile(next => next == after).Take(BatchSize)];
        }
    }
}
