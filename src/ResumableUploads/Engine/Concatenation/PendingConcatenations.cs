using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// An in-memory index from parts to the concatenations that wait for them, so that the last part completes a concatenation
/// immediately. A concatenation that is not in the index is completed by the next status request or the next sweep. The index never decides whether a part
/// is still needed.
/// </summary>
/// <param name="maxConcatenations">The maximum number of concatenations. The oldest is evicted first.</param>
/// <param name="maxParts">The maximum number of parts of all concatenations.</param>
internal sealed class PendingConcatenations(int maxConcatenations = 10_000, int maxParts = 1_000_000)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<PendingEntry> _byAge = [];
    private readonly Dictionary<UploadKey, LinkedListNode<PendingEntry>> _byKey = [];

    /// <summary>Parts have the same owner as their concatenation, so only uploads of that owner are searched.</summary>
    private readonly Dictionary<string, HashSet<UploadKey>> _byOwner = new(StringComparer.Ordinal);

    private int _partCount;

    /// <summary>Gets the number of concatenations and of their owners.</summary>
    public (int Concatenations, int Owners) Count
    {
        get
        {
            lock (_lock)
            {
                return (_byKey.Count, _byOwner.Count);
            }
        }
    }

    /// <summary>Adds a concatenation, or makes an existing one the newest.</summary>
    public void Add(UploadKey concatenation, IEnumerable<UploadKey> parts)
    {
        lock (_lock)
        {
            RemoveCore(concatenation);
            var entry = new PendingEntry(concatenation, [.. parts.Select(static part => part.GetHashCode()).Distinct()]);
            _byKey.Add(concatenation, _byAge.AddLast(entry));
            if (!_byOwner.TryGetValue(concatenation.Owner, out HashSet<UploadKey>? keysOfOwner))
            {
                _byOwner.Add(concatenation.Owner, keysOfOwner = []);
            }

            keysOfOwner.Add(concatenation);
            _partCount += entry.PartHashes.Length;
            while (_byKey.Count > maxConcatenations || _partCount > maxParts)
            {
                RemoveCore(_byAge.First!.Value.Key);
            }
        }
    }

    /// <summary>Removes a concatenation that is completed or deleted.</summary>
    public void Remove(UploadKey concatenation)
    {
        lock (_lock)
        {
            RemoveCore(concatenation);
        }
    }

    /// <summary>Returns the concatenations that may wait for a part. Because of hash collisions, the result may contain others.</summary>
    public UploadKey[] GetPendingFor(UploadKey part)
    {
        lock (_lock)
        {
            int hash = part.GetHashCode();
            return _byOwner.TryGetValue(part.Owner, out HashSet<UploadKey>? keysOfOwner)
                ? [.. keysOfOwner.Where(key => _byKey[key].Value.PartHashes.Contains(hash))]
                : [];
        }
    }

    private void RemoveCore(UploadKey concatenation)
    {
        if (!_byKey.Remove(concatenation, out LinkedListNode<PendingEntry>? node))
        {
            return;
        }

        _byAge.Remove(node);
        _partCount -= node.Value.PartHashes.Length;
        HashSet<UploadKey> keysOfOwner = _byOwner[concatenation.Owner];
        keysOfOwner.Remove(concatenation);
        if (keysOfOwner.Count == 0)
        {
            _byOwner.Remove(concatenation.Owner);
        }
    }

    /// <param name="Key">The key of the concatenation.</param>
    /// <param name="PartHashes">The hash codes of its parts; the keys would take fifty times as much memory.</param>
    private sealed record PendingEntry(UploadKey Key, int[] PartHashes);
}
