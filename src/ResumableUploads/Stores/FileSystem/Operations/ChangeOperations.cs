using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Updates records, stores responses, and deletes uploads.</summary>
internal sealed class ChangeOperations(StoreContext context, RecordFile records, UploadLocker locker, DirectorySync directorySync)
{
    /// <summary>The maximum length of a stored response in bytes.</summary>
    public const int MaxResponseLength = 1024 * 1024;

    /// <summary>One attempt restores a missing lock file; the others are for uploads that are deleted and created again with the same key.</summary>
    private const int MaxResponseAttempts = 8;

    private readonly FileLayer _files = context.Files;

    /// <param name="key">The key of the upload.</param>
    /// <param name="version">The expected version.</param>
    /// <param name="record">The new record.</param>
    /// <param name="isDeferred">Whether the change becomes durable only with a later one, or when it is read.</param>
    /// <param name="response">The response that is stored in the same step, or null.</param>
    public UpdateResult Update(UploadKey key, string version, UploadRecord record, bool isDeferred = false, ReadOnlyMemory<byte>? response = null)
    {
        LockStatus status = locker.TryAcquire(key, out LockedUpload? upload, allowUnsynced: true);
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
                throw new ArgumentException($"The state of an upload cannot change from {before.Record.State} back to {record.State}.", nameof(record));
            }

            bool receiving = record.State == UploadState.Receiving;
            StoredRecord after = before.Change(record, upload.Offset, context.TimeProvider.GetUtcNow());
            if (response is not null)
            {
                after = after with { Response = response };
            }

            if (before.Durability == Durability.PowerLoss && response is not null)
            {
                context.RequireThread();
            }

            try
            {
                using ReplacedFile? responseFile = response is { Length: > RecordCodec.MaxResponseLength } bytes
                    ? _files.ReplaceFile(CreateResponseReplacement(upload.Paths, before, $"{StorePaths.ResponseFileName}.{NonceGenerator.Next()}.tmp"), bytes.Span)
                    : null;
                if (responseFile is not null)
                {
                    after = after with { Response = null };
                }

                // An earlier run of the handler may have left a file. The response in the record must be the only one.
                string? obsoleteName = response is not null && responseFile is null ? StorePaths.ResponseFileName : null;
                if (!records.Write(upload, after, isDeferred, obsoleteName))
                {
                    return new UpdateResult(ChangeStatus.NotFound, null);
                }

                if (responseFile is not null)
                {
                    _files.MarkNameSynced(responseFile.File);
                }

                // Succeeded, even if the upload is deleted before this returns: another request may have read the new record already.
                return new UpdateResult(ChangeStatus.Succeeded, after.ToUploadInfo(key, upload.Offset, receiving ? upload.DataFileState?.LastWriteTime : null));
            }
            catch (Exception e) when (StorageErrors.IsStorageError(e))
            {
                // The disk may be full. The bytes of the upload are not affected.
                throw StorageErrors.Wrap(e, upload.Offset);
            }
        }
    }

    private static FileReplacement CreateResponseReplacement(UploadFilePaths paths, StoredRecord record, string temporaryName) => new(
        paths.Directory,
        StorePaths.GetLockFileName(record.Nonce),
        StorePaths.ResponseFileName,
        temporaryName,
        record.Durability == Durability.PowerLoss ? FileReplacementMode.SyncFirst : FileReplacementMode.Unsynced);

    public DeleteResult Delete(UploadKey key, string? version)
    {
        if (version is null)
        {
            return new DeleteResult(RemoveDirectory(key, null));
        }

        LockStatus status = locker.TryAcquire(key, out LockedUpload? upload, allowUnsynced: true);
        using (upload)
        {
            return new DeleteResult(
                upload is null ? ToChangeStatus(status)
                : upload.Version != version ? ChangeStatus.VersionMismatch
                : RemoveDirectory(key, upload));
        }
    }

    /// <summary>Stores the response of an upload. Returns false if the upload does not exist.</summary>
    public bool PutResponse(UploadKey key, ReadOnlySpan<byte> response)
    {
        // The name is random, because no lock is held.
        string temporary = $"{StorePaths.ResponseFileName}.{NonceGenerator.Next()}.tmp";
        for (int attempt = 0; attempt < MaxResponseAttempts && records.Read(key) is { } record; attempt++)
        {
            var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            FileReplacement replacement = CreateResponseReplacement(paths, record, temporary);
            if (replacement.Mode == FileReplacementMode.SyncFirst)
            {
                context.RequireThread();
            }

            using ReplacedFile? replaced = _files.ReplaceFile(replacement, response);
            if (replaced is not null)
            {
                if (replacement.Mode == FileReplacementMode.SyncFirst)
                {
                    _files.SyncDirectory(paths.Directory);
                    _files.MarkNameSynced(replaced.File);
                }

                return true;
            }

            UploadLocker.RestoreLockFile(_files, paths.LockPath);
        }

        return false;
    }

    public ReadOnlyMemory<byte>? GetResponse(UploadKey key)
    {
        string directory = context.Paths.GetUploadDirectory(key);
        using FileSnapshot? snapshot = _files.ReadSnapshot(Path.Combine(directory, StorePaths.ResponseFileName), MaxResponseLength)
            ?? ReadHiddenResponse(key, directory);
        if (snapshot is null)
        {
            return records.Read(key)?.Response;
        }

        directorySync.EnsureSynced(key, snapshot);
        return snapshot.Content;
    }

    /// <summary>Reads the response of an upload whose replacement was interrupted by a crash.</summary>
    private FileSnapshot? ReadHiddenResponse(UploadKey key, string directory) => records.Read(key) is { } record
        ? _files.ReadSnapshot(new UploadFilePaths(directory, record.Nonce).OldResponsePath, MaxResponseLength)
        : null;

    private static ChangeStatus ToChangeStatus(LockStatus status) =>
        status == LockStatus.NotFound ? ChangeStatus.NotFound : ChangeStatus.Busy;

    private ChangeStatus RemoveDirectory(UploadKey key, LockedUpload? upload)
    {
        if (OperatingSystem.IsWindows())
        {
            // A directory with an open file cannot be renamed on Windows.
            upload?.Dispose();
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
            _files.DeleteDirectory(trash, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, trash, e);
        }

        return ChangeStatus.Succeeded;
    }
}
