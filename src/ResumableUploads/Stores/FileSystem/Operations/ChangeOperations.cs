using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Changes records, keeps outcomes, and removes uploads.</summary>
internal sealed class ChangeOperations(StoreContext context, RecordFile records, OffsetReconciler reconciler, DirectorySync directorySync)
{
    /// <summary>The most bytes of an outcome.</summary>
    public const int MaxResponseLength = 1024 * 1024;

    /// <summary>One for the lock file that is not there, and some for uploads that come and go under the key.</summary>
    private const int MaxResponseAttempts = 8;

    private readonly FileLayer _files = context.Files;

    public UpdateResult Update(UploadKey key, string version, UploadRecord record)
    {
        LockStatus status = LockedUpload.TryAcquire(context, records, reconciler, key, out LockedUpload? upload);
        using (upload)
        {
            if (upload is null)
            {
                return new UpdateResult(ToChangeStatus(status), null);
            }

            if (upload.Version != version)
            {
                return new UpdateResult(ChangeStatus.VersionMismatch, null);
            }

            StoredRecord before = upload.Record;
            if (record.State < before.Record.State)
            {
                throw new ArgumentException($"The upload is {before.Record.State}; it does not go back to {record.State}.", nameof(record));
            }

            bool receiving = record.State == UploadState.Receiving;
            StoredRecord after = before with
            {
                Generation = before.Generation + 1,
                WriteCount = before.WriteCount + 1,
                Record = record,
                LastUpdated = context.TimeProvider.GetUtcNow(),
                FinalOffset = receiving ? null : upload.Offset,

                // Staged bytes that a crash left were cut off when the lock was taken.
                StagingOffset = null,
            };

            try
            {
                // What is in place has been seen, perhaps: a deletion that follows before this returns is one that came after it.
                return records.Write(upload.Files.Directory, after)
                    ? new UpdateResult(ChangeStatus.Succeeded, after.ToUploadInfo(key, upload.Offset, receiving ? upload.DataFileState?.LastWriteTime : null))
                    : new UpdateResult(ChangeStatus.NotFound, null);
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e))
            {
                // No room for a record: the bytes are there all the same.
                throw StorageErrors.Wrap(e, upload.Offset);
            }
        }
    }

    public DeleteResult Delete(UploadKey key, string? version)
    {
        if (version is null)
        {
            return new DeleteResult(RemoveDirectory(key, null));
        }

        LockStatus status = LockedUpload.TryAcquire(context, records, reconciler, key, out LockedUpload? upload);
        using (upload)
        {
            return new DeleteResult(
                upload is null ? ToChangeStatus(status)
                : upload.Version != version ? ChangeStatus.VersionMismatch
                : RemoveDirectory(key, upload));
        }
    }

    /// <summary>False when there is no upload to keep it for.</summary>
    public bool PutResponse(UploadKey key, ReadOnlySpan<byte> outcome)
    {
        // A name of its own, because no lock keeps others out here.
        string temporary = $"{StorePaths.ResponseFileName}.{NonceGenerator.Next()}.tmp";
        for (int attempt = 0; attempt < MaxResponseAttempts && records.Read(key) is { } record; attempt++)
        {
            var files = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            if (_files.ReplaceFile(
                files.Directory,
                StorePaths.GetLockFileName(record.Nonce),
                StorePaths.ResponseFileName,
                temporary,
                outcome,
                record.Durability == Durability.PowerLoss))
            {
                return true;
            }

            LockedUpload.RestoreLockFile(_files, files.LockPath);
        }

        return false;
    }

    public ReadOnlyMemory<byte>? GetResponse(UploadKey key)
    {
        using FileSnapshot? file = _files.ReadSnapshot(Path.Combine(context.Paths.GetUploadDirectory(key), StorePaths.ResponseFileName), MaxResponseLength);
        if (file is null)
        {
            return null;
        }

        directorySync.EnsureSynced(key, file);
        return file.Content;
    }

    private static ChangeStatus ToChangeStatus(LockStatus status) =>
        status == LockStatus.NotFound ? ChangeStatus.NotFound : ChangeStatus.Busy;

    private ChangeStatus RemoveDirectory(UploadKey key, LockedUpload? held)
    {
        if (OperatingSystem.IsWindows())
        {
            // There a directory with an open file in it cannot be renamed.
            held?.Dispose();
        }

        string directory = context.Paths.GetUploadDirectory(key);
        string trash = Path.Combine(context.Paths.Trash, NonceGenerator.Next());
        try
        {
            if (!_files.DirectoryExists(directory))
            {
                return ChangeStatus.NotFound;
            }

            _files.RenameDirectory(directory, trash);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return ChangeStatus.NotFound;
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            return ChangeStatus.Busy;
        }

        if (context.Options.Durability == Durability.PowerLoss)
        {
            // Clean-up may have removed the shard, which is empty now; then it is the name of the shard that must be gone for good.
            _files.SyncDirectory(context.Paths.GetShardDirectory(key));
            if (!_files.DirectoryExists(context.Paths.GetShardDirectory(key)))
            {
                _files.SyncDirectory(context.Paths.GetOwnerDirectory(key.Owner));
                _files.SyncDirectory(context.Paths.Uploads);
            }
        }

        try
        {
            _files.DeleteDirectory(trash, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, trash, e);
        }

        return ChangeStatus.Succeeded;
    }
}
