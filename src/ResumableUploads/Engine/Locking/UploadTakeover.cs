using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>Ends appends of other processes, as the locks of this process do with its own.</summary>
internal sealed class UploadTakeover(IUploadStore store, EngineSettings settings)
{
    private readonly ITakeoverStore? _store = store.GetCapability<ITakeoverStore>();

    /// <summary>Asks another process that appends to an upload to end its append, and waits for that. A concatenation does not depend on a connection, and is not ended.</summary>
    /// <returns>The status. After <see cref="TakeoverStatus.Released"/>, the upload must be read again.</returns>
    public ValueTask<TakeoverStatus> TakeOverAsync(UploadInfo info, CancellationToken cancellationToken) =>
        _store is null || info.State != UploadState.Receiving || EngineRecord.IsConcatenated(info)
            ? new ValueTask<TakeoverStatus>(TakeoverStatus.NotAppending)
            : _store.TakeOverAsync(info.Key, settings.PreemptionTimeout, cancellationToken);
}
