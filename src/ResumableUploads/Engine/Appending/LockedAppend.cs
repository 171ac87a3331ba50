using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Appending;

/// <summary>An append request that holds the lock of its upload.</summary>
internal sealed record LockedAppend(AppendCommand Command, UploadLock Lock, IUploadCallbacks Callbacks)
{
    /// <summary>
    /// Gets a function that is called when all bytes of the body are stored and accepted, or null. It returns the upload under its final key, or null if
    /// the upload could not get that key.
    /// </summary>
    public Func<UploadInfo, ValueTask<UploadInfo?>>? AcceptAsync { get; init; }
}
