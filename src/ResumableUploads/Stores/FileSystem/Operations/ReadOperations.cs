using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations.Locking;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Reads the information and the content of uploads.</summary>
internal sealed class ReadOperations(StoreContext context, RecordFile records, OffsetReconciler reconciler)
{
    // The state of a receiving upload is in several files. They are read again if one of them changed meanwhile.
    private const int MaxAttempts = 100;

    private readonly FileLayer _files = context.Files;
    private readonly LockFiles _lockFiles = new(context);

    /// <summary>Returns an upload, or null if it has no record.</summary>
    public UploadInfo? Get(UploadKey key) => Read(key)?.Info;

    /// <summary>Returns an upload, or null if it has no record, without waiting for syncs of its record.</summary>
    /// <returns>Whether the record is durable, and the upload.</returns>
    public (bool IsDurable, UploadInfo? Info) GetIfDurable(UploadKey key) =>
        Read(key, allowUnsynced: true) is var (_, info, isUnsynced) ? (!isUnsynced, info) : (true, null);

    /// <summary>Returns an upload, whose record may not be durable, or null if it has no record.</summary>
    public UploadInfo? GetUnsynced(UploadKey key) => GetIfDurable(key).Info;

    /// <summary>Returns an upload whose directory was listed. A directory without a record is moved to quarantine.</summary>
    public UploadInfo? GetListed(UploadKey key) => Read(key, isListed: true)?.Info;

    public Stream? OpenRead(UploadKey key)
    {
        // The content is durable even if the record is not.
        if (Read(key, allowUnsynced: true) is not var (record, info, _))
        {
            return null;
        }

        var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
        try
        {
            return new BoundedReadStream(_files.OpenRead(paths.DataPath), info.Offset, context.Scheduler, key.Owner);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            if (record.MovedTo is null && records.Read(key) is { MovedTo: null } current && current.Nonce == record.Nonce)
            {
                Log.ContentMissing(context.Logger, paths.Directory);
            }

            return null;
        }
    }

    private (StoredRecord Record, UploadInfo Info, bool IsUnsynced)? Read(UploadKey key, bool isListed = false, bool allowUnsynced = false)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using FileSnapshot? snapshot = records.ReadSnapshot(key);
            if ((snapshot is null && !isListed) || (allowUnsynced ? records.ReadUnsynced(key, snapshot) : records.Read(key, snapshot)) is not { } record)
            {
                return null;
            }

            bool isUnsynced = allowUnsynced && snapshot is not null && _files.IsNameUnsynced(snapshot);
            if (record.Record.State != UploadState.Receiving)
            {
                return (record, record.ToUploadInfo(key, record.FinalOffset ?? 0), isUnsynced);
            }

            var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            DataFileState? state = reconciler.Read(paths, record);
            if (state is { NeedsReconciliation: true } unreconciled)
            {
                state = TryReconcile(key, snapshot, paths, record, unreconciled);
            }
            else if (!records.IsCurrent(snapshot))
            {
                // The data file may belong to a later record, in which bytes are staged or the content has been moved.
                continue;
            }
            else if (state is null)
            {
                records.Quarantine(key, "the data file is missing");
                continue;
            }

            if (state is { } data)
            {
                return (record, record.ToUploadInfo(key, data.Offset, data.LastWriteTime), isUnsynced);
            }
        }

        throw new UploadStoreException(
            StoreFailure.Unavailable,
            $"Upload '{context.Paths.GetUploadDirectory(key)}' kept changing while it was read; gave up after {MaxAttempts} attempts.");
    }

    /// <summary>Returns the reconciled state, or null if everything must be read again.</summary>
    private DataFileState? TryReconcile(UploadKey key, FileSnapshot? snapshot, UploadFilePaths paths, StoredRecord record, in DataFileState state)
    {
        // After a restart, the first sweep and clients read the same uploads.
        using (KeyedLocks.KeyedLock? entered = context.TryEnterUpload(paths.Nonce))
        {
            if (entered is null)
            {
                return reconciler.Read(paths, record, isLocked: true);
            }

            bool isLocked = false;
            OpenFile? lockFile = null;
            try
            {
                if (!_lockFiles.TryLock(key, paths, out lockFile))
                {
                    return null;
                }

                if (lockFile is null)
                {
                    // An append is running. Only its durable bytes are reported.
                    return reconciler.Read(paths, record, isLocked: true);
                }

                isLocked = true;
                return records.IsCurrent(snapshot) ? reconciler.Reconcile(paths, record) : null;
            }
            catch (Exception e) when (StorageErrors.IsNotFound(e))
            {
                return null;
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e) && e is not UploadStoreException && (isLocked || StorageErrors.IsFullOrReadOnly(e)))
            {
                // The offset can still be reported from a disk that is full or read-only. If the lock failed for another reason, another process may hold it.
                Log.ReconcileFailed(context.Logger, paths.DataPath, state.Offset, e);
                return state;
            }
            finally
            {
                lockFile?.Dispose();
            }
        }
    }
}
