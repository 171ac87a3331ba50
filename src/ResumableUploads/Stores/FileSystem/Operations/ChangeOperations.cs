using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Updates records, and stores responses.</summary>
internal sealed class ChangeOperations(StoreContext context, RecordFile records, UploadLocker locker, DirectorySync directorySync)
{
    /// <summary>The maximum length of a stored response in bytes.</summary>
    public const int MaxResponseLength = 1024 * 1024;

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
                return new UpdateResult(status == LockStatus.NotFound ? ChangeStatus.NotFound : ChangeStatus.Busy, null);
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
            StoredRecord after = before.Change(record, upload.Offset, context.Clock.GetUtcNow());
            bool isLong = response is { Length: > RecordCodec.MaxResponseLength };
            if (response is not null)
            {
                after = isLong
                    ? after with { Response = null, ResponseFileName = StorePaths.CreateResponseFileName(before.Nonce) }
                    : after with { Response = response, ResponseFileName = null };
            }

            if (before.Durability == Durability.PowerLoss && response is not null)
            {
                context.RequireThread();
            }

            try
            {
                using ReplacedFile? responseFile = isLong ? _files.ReplaceFile(CreateResponseReplacement(upload.Paths, after), response!.Value.Span) : null;

                // Until the record names the file, the response does not count.
                if ((isLong && responseFile is null) || !records.Write(upload, after, isDeferred))
                {
                    return new UpdateResult(ChangeStatus.NotFound, null);
                }

                if (responseFile is not null)
                {
                    _files.MarkNameSynced(responseFile.File);
                }

                DeleteResponseFile(upload.Paths, before, after);

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

    private static FileReplacement CreateResponseReplacement(UploadFilePaths paths, StoredRecord record) => new(
        paths.Directory,
        StorePaths.RecordFileName,
        record.ResponseFileName!,
        record.ResponseFileName + ".tmp",
        record.Durability == Durability.PowerLoss ? FileReplacementMode.SyncFirst : FileReplacementMode.Unsynced)
    {
        GuardText = record.Nonce,
    };

    /// <summary>Deletes the file with the response of an earlier run of the handler, which the new record does not name.</summary>
    private void DeleteResponseFile(UploadFilePaths paths, StoredRecord before, StoredRecord after)
    {
        if (before.ResponseFileName is not { } name || name == after.ResponseFileName)
        {
            return;
        }

        string path = Path.Join(paths.Directory, name);
        try
        {
            // Another upload with the same key can have a file with the name of earlier builds.
            if (name != StorePaths.LegacyResponseFileName)
            {
                _files.DeleteFile(path);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, path, e);
        }
    }

    /// <summary>Returns the response of a completed upload. A file that the record does not name is left from a crash, and is not returned.</summary>
    public ReadOnlyMemory<byte>? GetResponse(UploadKey key)
    {
        string? missing = null;
        while (records.Read(key) is { Record.State: UploadState.Completed } record)
        {
            if (record.Response is { } response)
            {
                return response;
            }

            if (record.ResponseFileName is null || record.ResponseFileName == missing)
            {
                return null;
            }

            var paths = new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce);
            using FileSnapshot? snapshot = ReadResponseFile(paths, record.ResponseFileName);
            if (snapshot is not null)
            {
                directorySync.EnsureSynced(key, snapshot, isContentSynced: true);
                return snapshot.Content.ToArray();
            }

            // Another response may have replaced the file meanwhile.
            missing = record.ResponseFileName;
        }

        return null;
    }

    private FileSnapshot? ReadResponseFile(UploadFilePaths paths, string name)
    {
        FileSnapshot? snapshot = _files.ReadSnapshot(Path.Join(paths.Directory, name), MaxResponseLength);

        // A replacement that was interrupted by a crash may have hidden the file of an earlier build.
        return snapshot is null && name == StorePaths.LegacyResponseFileName ? _files.ReadSnapshot(paths.HiddenResponsePath, MaxResponseLength) : snapshot;
    }
}
