using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations.Locking;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>The result of an attempt to lock an upload.</summary>
internal enum LockStatus
{
    Locked,
    Busy,
    NotFound,
}

/// <summary>Takes the locks of uploads, and reads and repairs an upload as soon as it is locked.</summary>
internal sealed class UploadLocker(StoreContext context, RecordFile records, OffsetReconciler reconciler)
{
    private const int MaxAttempts = 8;

    private readonly FileLayer _files = context.Files;
    private readonly LockFiles _lockFiles = new(context);

    /// <summary>Tries to lock an upload. Retries a few times without waiting, because most changes take only a moment.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="upload">The locked upload, or null.</param>
    /// <param name="allowUnsynced">Whether the record may not be durable yet, because the caller is about to write a record or to delete the upload.</param>
    public LockStatus TryAcquire(UploadKey key, out LockedUpload? upload, bool allowUnsynced = false)
    {
        upload = null;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using FileSnapshot? snapshot = records.ReadSnapshot(key);
            if ((allowUnsynced ? records.ReadUnsynced(key, snapshot) : records.Read(key, snapshot)) is not { } record)
            {
                return LockStatus.NotFound;
            }

            var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            bool isBusy = false;
            using (KeyedLocks.KeyedLock? entered = context.TryEnterUpload(paths.Nonce))
            {
                if (entered is null)
                {
                    return LockStatus.Busy;
                }

                // Returns false if the upload was deleted in the meantime, or if the lock file was missing and has been created for the next attempt.
                if (_lockFiles.TryLock(key, paths, out OpenFile? lockFile))
                {
                    isBusy = lockFile is null;
                    upload = lockFile is null ? null : OpenOrRelease(key, paths, record, snapshot, lockFile, allowUnsynced);
                }
            }

            if (upload is not null)
            {
                return LockStatus.Locked;
            }

            if (isBusy)
            {
                Thread.Yield();
            }
        }

        return LockStatus.Busy;
    }

    private LockedUpload? OpenOrRelease(UploadKey key, UploadFilePaths paths, StoredRecord record, FileSnapshot? snapshot, OpenFile lockFile, bool allowUnsynced)
    {
        LockedUpload? upload = null;
        try
        {
            // Anything in the record may have changed before the lock was taken. It is read again without the lock, which is needed to make it durable.
            upload = records.IsCurrent(snapshot) ? Open(key, paths, record, lockFile) : null;
            if (upload is not null)
            {
                upload.IsUnsynced = allowUnsynced && _files.IsNameUnsynced(snapshot!);
            }

            return upload;
        }
        finally
        {
            if (upload is null)
            {
                lockFile.Dispose();
            }
        }
    }

    private LockedUpload? Open(UploadKey key, UploadFilePaths paths, StoredRecord record, OpenFile lockFile)
    {
        if (record.Record.State != UploadState.Receiving)
        {
            return new LockedUpload(key, lockFile, paths, record, null);
        }

        try
        {
            if (reconciler.Reconcile(paths, record) is { } state)
            {
                return new LockedUpload(key, lockFile, paths, record, state);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) && reconciler.Read(paths, record) is { } unreconciled)
        {
            // The disk may be full or broken. The client still learns which bytes are durable.
            throw StorageErrors.Wrap(e, unreconciled.Offset);
        }

        records.Quarantine(key, "the data file is missing");
        return null;
    }
}
