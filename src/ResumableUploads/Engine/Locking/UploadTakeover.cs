using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>Ends appends of other processes, as the locks of this process do with its own.</summary>
internal sealed class UploadTakeover(IUploadStore store, EngineSettings settings)
{
    private readonly ITakeoverStore? _store = store.GetCapability<ITakeoverStore>();

    /// <summary>Asks another process that appends to an upload to end its append, and waits for that. A concatenation does not depend on a connection, and is not ended.</summary>
    /// <returns>
    /// The status. Unless it is <see cref="TakeoverStatus.NotShared"/>, the append may have ended after the upload was read, so that it must be read again.
    /// </returns>
    public async ValueTask<TakeoverStatus> TakeOverAsync(UploadInfo info, CancellationToken cancellationToken)
    {
        if (_store is null || info.State != UploadState.Receiving || EngineRecord.IsConcatenated(info))
        {
            return TakeoverStatus.NotShared;
        }

        try
        {
            return await _store.TakeOverAsync(info.Key, settings.PreemptionTimeout, cancellationToken);
        }
        catch (UploadStoreException)
        {
            // A disk that is full or read-only must not keep clients from the offset. Whether another process appends is not known.
            return TakeoverStatus.StillAppending;
        }
    }
}
