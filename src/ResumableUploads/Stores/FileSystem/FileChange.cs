using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Changes records, keeps outcomes, and removes uploads.</summary>
internal sealed class FileChange(StoreContext context, RecordFile records, UploadOffset offsets, UploadNames names)
{
    /// <summary>The most bytes of an outcome.</summary>
    public const int MaxOutcomeLength = 1024 * 1024;

    /// <summary>One for the lock file that is not there, and some for uploads that come and go under the key.</summary>
    private const int OutcomeTries = 8;

    private readonly FileLayer _files = context.Files;

    public UpdateResult Update(UploadKey key, string version, UploadRecord record)
    {
        LockStatus status = LockedUpload.TryOpen(context, records, offsets, key, out LockedUpload? upload);
        using (upload)
        {
            if (upload is null)
            {
                return new UpdateResult(ChangeOf(status), null);
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
                Writes = before.Writes + 1,
                Record = record,
                Changed = context.Time.GetUtcNow(),
                Frozen = receiving ? null : upload.Offset,

                // Staged bytes that a crash left were cut off when the lock was taken.
                Staging = null,
            };

            try
            {
                // What is in place has been seen, perhaps: a deletion that follows before this returns is one that came after it.
                return records.Write(upload.Files.Directory, after)
                    ? new UpdateResult(ChangeStatus.Done, after.ToInfo(key, upload.Offset, receiving ? upload.Observed?.Written : null))
                    : new UpdateResult(ChangeStatus.NotFound, null);
            }
            catch (Exception e) when (StorageErrors.IsStorage(e))
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
            return new DeleteResult(Remove(key, null));
        }

        LockStatus status = LockedUpload.TryOpen(context, records, offsets, key, out LockedUpload? upload);
        using (upload)
        {
            return new DeleteResult(
                upload is null ? ChangeOf(status)
                : upload.Version != version ? ChangeStatus.VersionMismatch
                : Remove(key, upload));
        }
    }

    /// <summary>False when there is no upload to keep it for.</summary>
    public bool PutOutcome(UploadKey key, ReadOnlySpan<byte> outcome)
    {
        // A name of its own, because no lock keeps others out here.
        string temporary = $"{UploadPaths.Outcome}.{Nonce.Next()}.tmp";
        for (int attempt = 0; attempt < OutcomeTries && records.Read(key) is { } record; attempt++)
        {
            var files = new UploadFiles(context.Paths.Upload(key), record.Nonce);
            if (_files.ReplaceFile(
                files.Directory,
                UploadPaths.LockName(record.Nonce),
                UploadPaths.Outcome,
                temporary,
                outcome,
                record.Durability == Durability.PowerLoss))
            {
                return true;
            }

            LockedUpload.Restore(_files, files.Lock);
        }

        return false;
    }

    public ReadOnlyMemory<byte>? GetOutcome(UploadKey key)
    {
        using HeldFile? file = _files.Hold(Path.Combine(context.Paths.Upload(key), UploadPaths.Outcome), MaxOutcomeLength);
        if (file is null)
        {
            return null;
        }

        names.ConfirmFound(key, file);
        return file.Content;
    }

    private static ChangeStatus ChangeOf(LockStatus status) =>
        status == LockStatus.NotFound ? ChangeStatus.NotFound : ChangeStatus.Busy;

    private ChangeStatus Remove(UploadKey key, LockedUpload? held)
    {
        if (OperatingSystem.IsWindows())
        {
            // There a directory with an open file in it cannot be renamed.
            held?.Dispose();
        }

        string directory = context.Paths.Upload(key);
        string trash = Path.Combine(context.Paths.Trash, Nonce.Next());
        try
        {
            if (!_files.DirectoryExists(directory))
            {
                return ChangeStatus.NotFound;
            }

            _files.RenameDirectory(directory, trash);
        }
        catch (Exception e) when (StorageErrors.IsMissing(e))
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
            _files.SyncDirectory(context.Paths.Shard(key));
            if (!_files.DirectoryExists(context.Paths.Shard(key)))
            {
                _files.SyncDirectory(context.Paths.Owner(key.Owner));
                _files.SyncDirectory(context.Paths.Uploads);
            }
        }

        try
        {
            _files.DeleteDirectory(trash, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.NotRemoved(context.Logger, trash, e);
        }

        return ChangeStatus.Done;
    }
}
