using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>The uploads of a store, by key and by owner, so that a listing of one owner does not scan all uploads.</summary>
internal sealed class UploadTable
{
    private readonly ConcurrentDictionary<UploadKey, MemoryUpload> _uploads = new();
    private readonly Dictionary<string, HashSet<UploadKey>> _owners = new(StringComparer.Ordinal);

    // Held while both collections are changed.
    private readonly Lock _lock = new();

    public IEnumerable<MemoryUpload> All => _uploads.Values;

    public MemoryUpload? Find(UploadKey key) => _uploads.GetValueOrDefault(key);

    public bool TryAdd(MemoryUpload upload)
    {
        lock (_lock)
        {
            if (!_uploads.TryAdd(upload.Key, upload))
            {
                return false;
            }

            if (!_owners.TryGetValue(upload.Key.Owner, out HashSet<UploadKey>? keys))
            {
                _owners.Add(upload.Key.Owner, keys = []);
            }

            keys.Add(upload.Key);
            return true;
        }
    }

    /// <summary>Removes an upload, unless its key belongs to another upload by now.</summary>
    public void Remove(MemoryUpload upload)
    {
        lock (_lock)
        {
            if (_uploads.TryRemove(KeyValuePair.Create(upload.Key, upload)) && _owners.TryGetValue(upload.Key.Owner, out HashSet<UploadKey>? keys))
            {
                keys.Remove(upload.Key);
                if (keys.Count == 0)
                {
                    _owners.Remove(upload.Key.Owner);
                }
            }
        }
    }

    /// <summary>Returns the keys of an owner, or all keys if the owner is null.</summary>
    public IEnumerable<UploadKey> GetKeys(string? owner)
    {
        if (owner is null)
        {
            return _uploads.Select(static upload => upload.Key);
        }

        lock (_lock)
        {
            return _owners.TryGetValue(owner, out HashSet<UploadKey>? keys) ? [.. keys] : [];
        }
    }
}
