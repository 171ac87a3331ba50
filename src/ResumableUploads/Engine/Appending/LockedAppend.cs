using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Appending;

/// <summary>An append request that holds the lock of its upload.</summary>
internal sealed record LockedAppend(AppendCommand Command, UploadLock Lock, IUploadCallbacks Callbacks);
