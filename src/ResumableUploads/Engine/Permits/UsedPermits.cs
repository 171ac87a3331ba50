using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Permits;

/// <summary>
/// Remembers, in the store, the permits whose upload was removed. A marker under a key of its own is durable before the upload is removed, and a request that
/// creates an upload looks for the marker afterwards. So at any time there is the upload, or the marker, or the permit was not used, also with several
/// processes. The marker has the creation time of the removed upload. A marker expires with its permit. It counts neither in quotas nor in statistics.
/// </summary>
internal sealed class UsedPermits(IUploadStore store, TimeProvider time)
{
    /// <summary>Keys of requests are hashes without a hyphen, so the key of a marker never collides with one.</summary>
    private const string IdPrefix = "used-";

    /// <summary>Returns whether a key is that of a marker, and not of an upload.</summary>
    public static bool IsMarker(UploadKey key) => key.Id.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>
    /// Returns whether the upload of a permit was removed. A marker of an upload that still exists does not count: the upload was to be removed, and that has
    /// failed.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="current">The upload, or null if it does not exist, or if this request has created it.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="UploadStoreException">The store failed, or a record is damaged.</exception>
    public async ValueTask<bool> ContainsAsync(UploadKey key, UploadInfo? current, CancellationToken cancellationToken) =>
        await store.GetAsync(GetMarkerKey(key), cancellationToken) is { } marker && (current is null || !EngineRecord.From(marker).IsOf(current));

    /// <summary>Creates the marker of an upload that is about to be removed, if the upload has a permit that has not expired.</summary>
    /// <exception cref="UploadStoreException">The store failed. The upload must not be removed.</exception>
    public async ValueTask AddAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (EngineRecord.FindPermit(info) is not { } permit || permit.Until <= time.GetUtcNow())
        {
            return;
        }

        EngineRecord source = EngineRecord.From(info);
        var record = new EngineRecord { Protocol = source.Protocol, EngineName = source.EngineName, Created = source.Created };
        var marker = new UploadRecord { State = UploadState.Receiving, AbsoluteExpiration = permit.Until, Data = record.ToBytes() };
        await store.CreateAsync(GetMarkerKey(info.Key), marker, cancellationToken);
    }

    private static UploadKey GetMarkerKey(UploadKey key) => new(key.Owner, IdPrefix + key.Id);
}
