using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// Which joined uploads wait for which parts, as far as this process knows: so that they are joined at once when the last part is whole. What it
/// has no room for is joined when somebody asks for it, or by the next sweep.
/// </summary>
/// <param name="maxJoined">The most uploads that are remembered. The oldest is forgotten first.</param>
/// <param name="maxParts">The most parts that all of them have together.</param>
internal sealed class PendingConcatenations(int maxJoined = 10_000, int maxParts = 1_000_000)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<PendingEntry> _byAge = [];
    private readonly Dictionary<UploadKey, LinkedListNode<PendingEntry>> _byKey = [];

    /// <summary>Parts belong to the owner of the whole, so nobody has to look through what others have.</summary>
    private readonly Dictionary<string, HashSet<UploadKey>> _byOwner = new(StringComparer.Ordinal);

    private int _partCount;
    private bool _hasEvicted;

    /// <summary>Whether nothing was ever forgotten for want of room.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_lock)
            {
                return !_hasEvicted;
            }
        }
    }

    /// <summary>Remembers that an upload waits for its parts.</summary>
    public void Add(UploadKey joined, IEnumerable<UploadKey> parts)
    {
        lock (_lock)
        {
            RemoveCore(joined);
            var waiting = new PendingEntry(joined, [.. parts.Select(static part => part.GetHashCode()).Distinct()]);
            _byKey.Add(joined, _byAge.AddLast(waiting));
            if (!_byOwner.TryGetValue(joined.Owner, out HashSet<UploadKey>? ofOwner))
            {
                _byOwner.Add(joined.Owner, ofOwner = []);
            }

            ofOwner.Add(joined);
            _partCount += waiting.PartHashes.Length;
            while (_byKey.Count > maxJoined || _partCount > maxParts)
            {
                _hasEvicted = true;
                RemoveCore(_byAge.First!.Value.Key);
            }
        }
    }

    /// <summary>Forgets an upload that is joined or gone.</summary>
    public void Remove(UploadKey joined)
    {
        lock (_lock)
        {
            RemoveCore(joined);
        }
    }

    /// <summary>The uploads that may wait for a part. Now and then there is one among them that does not.</summary>
    public UploadKey[] GetPendingFor(UploadKey part)
    {
        lock (_lock)
        {
            int hash = part.GetHashCode();
            return _byOwner.TryGetValue(part.Owner, out HashSet<UploadKey>? ofOwner)
                ? [.. ofOwner.Where(joined => _byKey[joined].Value.PartHashes.Contains(hash))]
                : [];
        }
    }

    private void RemoveCore(UploadKey joined)
    {
        if (!_byKey.Remove(joined, out LinkedListNode<PendingEntry>? node))
        {
            return;
        }

        _byAge.Remove(node);
        _partCount -= node.Value.PartHashes.Length;
        HashSet<UploadKey> ofOwner = _byOwner[joined.Owner];
        ofOwner.Remove(joined);
        if (ofOwner.Count == 0)
        {
            _byOwner.Remove(joined.Owner);
        }
    }

    /// <param name="Key">The joined upload.</param>
    /// <param name="PartHashes">The hash codes of its parts: the keys would take fifty times as much.</param>
    private sealed record PendingEntry(UploadKey Key, int[] PartHashes);
}
