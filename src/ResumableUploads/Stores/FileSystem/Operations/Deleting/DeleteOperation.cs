using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations.Deleting;

/// <summary>Deletes uploads: renames the directory away, which is the moment of the change, and then deletes it.</summary>
internal sealed class DeleteOperation(StoreContext context, RecordFile records, UploadLocker locker, DirectorySync directorySync)
{
    private readonly FileLayer _files = context.Files;

    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The expected version, or null to delete any version.</param>
    public DeleteResult Delete(UploadKey key, string? version)
    {
        if (version is null)
        {
            return new DeleteResult(DeleteAny(key));
        }

        try
        {
            LockStatus status = locker.TryAcquire(key, out LockedUpload? upload, allowUnsynced: true);
            using (upload)
            {
                return new DeleteResult(
                    upload is null ? (status == LockStatus.NotFound ? ChangeStatus.NotFound : ChangeStatus.Busy)
                    : upload.Version != version ? ChangeStatus.VersionMismatch
                    : DeleteExpected(key, upload.Record, upload));
            }
        }
        catch (Exception e) when (StorageErrors.IsFullOrReadOnly(e))
        {
            // The disk may have no space for the lock file. To delete the upload may be the only way to get some.
            if (FindWithoutLockFile(key) is not { } record)
            {
                throw;
            }

            return new DeleteResult(record.GetVersion(record.FinalOffset ?? 0) != version ? ChangeStatus.VersionMismatch : DeleteExpected(key, record, null));
        }
    }

    /// <summary>Returns the record of an upload that has no lock file and whose offset does not change, or null.</summary>
    private StoredRecord? FindWithoutLockFile(UploadKey key)
    {
        using FileSnapshot? snapshot = records.ReadSnapshot(key);
        return records.ReadUnsynced(key, snapshot) is { Record.State: not UploadState.Receiving } record
            && !_files.FileExists(new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce).LockPath)
            ? record
            : null;
    }

    private ChangeStatus DeleteAny(UploadKey key)
    {
        bool sync = context.Options.Durability == Durability.PowerLoss || GetDurability(key) == Durability.PowerLoss;
        if (sync)
        {
            context.RequireThread();
        }

        string trash = Path.Combine(context.Paths.Trash, NonceGenerator.Next());
        if (TryRename(key, trash) is { } status)
        {
            return status;
        }

        Finish(key, trash, sync);
        return ChangeStatus.Succeeded;
    }

    /// <summary>
    /// Deletes an upload unless another process has deleted it, and created another one with its key. The directory is looked at after it was renamed, and gets
    /// its name back if it is another one.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The record of the upload.</param>
    /// <param name="upload">The locked upload, or null if it has no lock file.</param>
    private ChangeStatus DeleteExpected(UploadKey key, StoredRecord record, LockedUpload? upload)
    {
        bool sync = context.Options.Durability == Durability.PowerLoss || record.Durability == Durability.PowerLoss;
        if (sync)
        {
            context.RequireThread();
        }

        if (OperatingSystem.IsWindows())
        {
            // A directory with an open file cannot be renamed on Windows.
            upload?.Dispose();
        }

        // Clean-ups of other processes delete everything in the trash. From the other directory, the upload can still be moved back.
        string detached = context.Paths.GetDetachedDirectory(key, record);
        try
        {
            // The upload may be older than what a clean-up keeps in this place.
            _files.SetDirectoryLastWriteTime(context.Paths.GetUploadDirectory(key), context.Clock.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return ChangeStatus.NotFound;
        }

        if (TryRename(key, detached) is { } status)
        {
            return status;
        }

        string lockPath = new UploadFilePaths(detached, record.Nonce).LockPath;
        ChangeStatus result = upload is not null
            ? (_files.FileExists(lockPath) && ReadRecord(detached)?.Nonce == record.Nonce ? ChangeStatus.Succeeded : ChangeStatus.VersionMismatch)
            : (_files.FileExists(lockPath) ? ChangeStatus.Busy : IsSame(detached, record) ? ChangeStatus.Succeeded : ChangeStatus.VersionMismatch);
        if (result != ChangeStatus.Succeeded)
        {
            directorySync.KeepOtherUpload(key, detached);
            return result;
        }

        Finish(key, detached, sync);
        return ChangeStatus.Succeeded;
    }

    private bool IsSame(string directory, StoredRecord expected) =>
        ReadRecord(directory) is { } record && (record.Nonce, record.Generation) == (expected.Nonce, expected.Generation);

    private StoredRecord? ReadRecord(string directory)
    {
        using FileSnapshot? snapshot = _files.ReadSnapshot(Path.Combine(directory, StorePaths.RecordFileName), RecordCodec.MaxLength);
        return snapshot is null ? null : RecordCodec.Decode(snapshot.Content).Record;
    }

    /// <summary>Renames the directory of an upload. Returns the result if it cannot be renamed.</summary>
    private ChangeStatus? TryRename(UploadKey key, string target)
    {
        string directory = context.Paths.GetUploadDirectory(key);
        try
        {
            // A killed process may have left an upload at the target, which the clean-up moves back.
            return !_files.DirectoryExists(directory) ? ChangeStatus.NotFound : _files.RenameDirectory(directory, target) ? null : ChangeStatus.Busy;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return ChangeStatus.NotFound;
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            return ChangeStatus.Busy;
        }
    }

    /// <summary>Returns the durability of an upload, which can differ from that of the store, or null if it has no valid record.</summary>
    private Durability? GetDurability(UploadKey key)
    {
        using FileSnapshot? snapshot = records.ReadSnapshot(key);
        return snapshot is null ? null : RecordCodec.Decode(snapshot.Content).Record?.Durability;
    }

    /// <summary>Makes a deletion durable, and deletes the renamed directory.</summary>
    private void Finish(UploadKey key, string directory, bool sync)
    {
        if (sync)
        {
            // A listing may have removed the shard directory, which is empty now. Then the removal of the shard must be durable instead.
            _files.SyncDirectory(context.Paths.GetShardDirectory(key));
            if (!_files.DirectoryExists(context.Paths.GetShardDirectory(key)))
            {
                _files.SyncDirectory(context.Paths.GetOwnerDirectory(key.Owner));
                _files.SyncDirectory(context.Paths.Uploads);
            }
        }

        try
        {
            _files.DeleteDirectory(directory, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, directory, e);
        }
    }
}
