using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Keeps the records of a few receiving uploads open, because the next call for the same upload usually follows soon. Who takes a snapshot must check that it is
/// current.
/// </summary>
internal sealed class SnapshotPool
{
    private const int Capacity = 128;

    private readonly Entry?[] _entries = new Entry?[Capacity];

    /// <summary>Keeps a snapshot. It replaces another one in the same place.</summary>
    public void Add(UploadKey key, FileSnapshot snapshot) => Interlocked.Exchange(ref GetEntry(key), new Entry(key, snapshot))?.Snapshot.Dispose();

    /// <summary>Removes and returns the snapshot of an upload, or returns null.</summary>
    public FileSnapshot? Take(UploadKey key)
    {
        ref Entry? place = ref GetEntry(key);
        return Volatile.Read(ref place) is { } entry && entry.Key == key && Interlocked.CompareExchange(ref place, null, entry) == entry ? entry.Snapshot : null;
    }

    private ref Entry? GetEntry(UploadKey key) => ref _entries[(uint)key.GetHashCode() % Capacity];

    private sealed record Entry(UploadKey Key, FileSnapshot Snapshot);
}
