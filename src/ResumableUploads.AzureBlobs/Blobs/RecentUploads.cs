using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>
/// The uploads that this process has seen last, so that a change often needs no read before it. The entries are hints: every change depends on the ETag, and no result but
/// success is derived from an entry.
/// </summary>
internal sealed class RecentUploads
{
    private const int MaxCount = 4_096;
    private const int MaxDataLength = 16 * 1024;

    private readonly ConcurrentDictionary<UploadKey, UploadBlob> _blobs = [];

    public UploadBlob? Find(UploadKey key) => _blobs.TryGetValue(key, out UploadBlob? blob) ? blob : null;

    public UploadBlob? Find(UploadKey key, string version) => Find(key) is { } blob && blob.Version == version ? blob : null;

    public void Remember(UploadBlob blob)
    {
        if (blob.IsLeased || blob.Data.Length > MaxDataLength)
        {
            Forget(blob.Key);
            return;
        }

        if (_blobs.Count >= MaxCount)
        {
            _blobs.Clear();
        }

        _blobs[blob.Key] = blob with { IsRemembered = true };
    }

    public void Forget(UploadKey key) => _blobs.TryRemove(key, out _);
}
