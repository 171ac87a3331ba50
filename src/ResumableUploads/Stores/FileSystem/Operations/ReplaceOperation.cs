using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Replaces an upload by another one. The files of both have different names, so those of the new upload are moved into the directory of the old one
/// first. Then the new record replaces the old record, which is the moment of the change.
/// </summary>
internal sealed class ReplaceOperation(StoreContext context, RecordFile records, UploadLocker locker)
{
    private readonly FileLayer _files = context.Files;

    public UpdateResult Replace(UploadKey key, string version, UploadKey replacementKey, string replacementVersion)
    {
        ChangeStatus status = TryLock(key, version, out LockedUpload? old);
        using (old)
        {
            if (status != ChangeStatus.Succeeded)
            {
                return new UpdateResult(status, null);
            }

            status = TryLock(replacementKey, replacementVersion, out LockedUpload? replacement);
            using (replacement)
            {
                return status != ChangeStatus.Succeeded ? new UpdateResult(status, null)
                    : replacement!.Record.Record.State != UploadState.Receiving
                        ? throw new ArgumentException("The replacement must be in state Receiving.", nameof(replacementKey))
                    : Replace(key, old!, replacementKey, replacement);
            }
        }
    }

    private ChangeStatus TryLock(UploadKey key, string version, out LockedUpload? upload) => locker.TryAcquire(key, out upload) switch
    {
        LockStatus.NotFound => ChangeStatus.NotFound,
        LockStatus.Busy => ChangeStatus.Busy,
        _ => upload!.Version == version ? ChangeStatus.Succeeded : ChangeStatus.VersionMismatch,
    };

    private UpdateResult Replace(UploadKey key, LockedUpload old, UploadKey replacementKey, LockedUpload replacement)
    {
        bool sync = replacement.Record.Durability == Durability.PowerLoss || old.Record.Durability == Durability.PowerLoss;
        string directory = old.Paths.Directory;
        StoredRecord record = replacement.Record with
        {
            Generation = replacement.Record.Generation + 1,
            WriteCount = replacement.Record.WriteCount + 1,
            StagingOffset = null,
        };
        if (OperatingSystem.IsWindows())
        {
            // An open file cannot be renamed on Windows.
            replacement.Dispose();
        }

        // Without a name, the replacement is not mistaken for a damaged upload if a crash happens before all of its files are moved.
        string unnamed = context.Paths.GetCreationDirectory(0, record.Nonce);
        _files.CreateDirectory(Path.GetDirectoryName(unnamed)!);
        _files.RenameDirectory(replacement.Paths.Directory, unnamed);
        if (sync)
        {
            _files.SyncDirectory(context.Paths.GetShardDirectory(replacementKey));
        }

        MoveFiles(new UploadFilePaths(unnamed, record.Nonce), new UploadFilePaths(directory, record.Nonce));
        HideResponse(old.Paths);
        if (sync)
        {
            _files.SyncDirectory(directory);
        }

        if (!records.Write(directory, record))
        {
            // The old upload was deleted meanwhile, and the files of the new one with it.
            TryDelete(() => _files.DeleteDirectory(unnamed, recursive: true), unnamed);
            return new UpdateResult(ChangeStatus.NotFound, null);
        }

        DeleteLeftovers(old, unnamed);
        return new UpdateResult(ChangeStatus.Succeeded, record.ToUploadInfo(key, replacement.Offset, replacement.DataFileState?.LastWriteTime));
    }

    private void MoveFiles(UploadFilePaths from, UploadFilePaths to)
    {
        if (_files.FileExists(from.DurableOffsetPath))
        {
            _files.RenameFile(from.DurableOffsetPath, to.DurableOffsetPath);
        }

        _files.RenameFile(from.DataPath, to.DataPath);
        _files.RenameFile(from.LockPath, to.LockPath);
    }

    /// <summary>Gives the stored response a name that belongs to the old upload only, so that it never becomes the response of the new one.</summary>
    private void HideResponse(UploadFilePaths paths)
    {
        string response = Path.Combine(paths.Directory, StorePaths.ResponseFileName);
        if (_files.FileExists(response))
        {
            _files.RenameFile(response, paths.OldResponsePath);
        }
    }

    private void DeleteLeftovers(LockedUpload old, string unnamed)
    {
        // An open file cannot be deleted on Windows. The lock has no meaning any more: the record names another lock file.
        old.Dispose();
        foreach (string path in (ReadOnlySpan<string>)[old.Paths.LockPath, old.Paths.OldResponsePath, old.Paths.DurableOffsetPath, old.Paths.DataPath])
        {
            TryDelete(() => _files.DeleteFile(path), path);
        }

        TryDelete(() => _files.DeleteDirectory(unnamed, recursive: true), unnamed);
    }

    private void TryDelete(Action delete, string path)
    {
        try
        {
            delete();
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(context.Logger, path, e);
        }
    }
}
