using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Replaces an upload by another one. The files of both have different names, so those of the new upload are moved into the directory of the old one
/// first. Then the new record replaces the old record, which is the moment of the change.
/// </summary>
internal sealed class ReplaceOperation(StoreContext context, RecordFile records, UploadLocker locker, DirectorySync directorySync)
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
        if (sync)
        {
            context.RequireThread();
        }

        // The number of writes tells which one of several records in a directory is the last one.
        StoredRecord record = replacement.Record with
        {
            Generation = replacement.Record.Generation + 1,
            WriteCount = Math.Max(old.Record.WriteCount, replacement.Record.WriteCount) + 1,
            StagingOffset = null,
        };
        if (OperatingSystem.IsWindows())
        {
            // An open file cannot be renamed on Windows.
            replacement.Dispose();
        }

        // The path to an upload that was created with another durability may not be durable.
        old.IsUnsynced |= record.Durability != old.Record.Durability;

        // Without a name, the replacement is not mistaken for a damaged upload if a crash happens before all of its files are moved.
        var unnamed = new UploadFilePaths(context.Paths.GetDetachedDirectory(replacementKey, replacement.Record), record.Nonce);
        var moved = new UploadFilePaths(old.Paths.Directory, record.Nonce);
        try
        {
            // The upload may be older than what a clean-up keeps in this place.
            _files.SetDirectoryLastWriteTime(replacement.Paths.Directory, context.Clock.GetUtcNow().UtcDateTime);
            if (!_files.RenameDirectory(replacement.Paths.Directory, unnamed.Directory))
            {
                // A killed process has left another upload there, which the clean-up moves back.
                return new UpdateResult(ChangeStatus.Busy, null);
            }
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return new UpdateResult(ChangeStatus.NotFound, null);
        }

        if (!_files.FileExists(unnamed.LockPath))
        {
            // Another process has deleted the replacement, and created another upload with its key.
            directorySync.KeepOtherUpload(replacementKey, unnamed.Directory);
            return new UpdateResult(ChangeStatus.VersionMismatch, null);
        }

        string[] leftovers = [];
        bool isWritten;
        try
        {
            if (sync)
            {
                _files.SyncDirectory(context.Paths.GetShardDirectory(replacementKey));
            }

            isWritten = old.Exists(_files);
            if (isWritten)
            {
                MoveFiles(unnamed, moved);
                HiddenResponse.Hide(_files, old);
                if (sync)
                {
                    _files.SyncDirectory(moved.Directory);
                }

                leftovers = GetLeftovers(old.Paths, record.Nonce);
                isWritten = records.Write(old, record);
            }
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) && !old.Exists(_files))
        {
            isWritten = false;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            DeleteReplacement(key, old.Paths, moved, unnamed.Directory);
            throw;
        }

        if (!isWritten)
        {
            // The old upload was deleted meanwhile.
            KeepReplacement(replacementKey, moved, unnamed);
            return new UpdateResult(ChangeStatus.NotFound, null);
        }

        DeleteLeftovers(old, leftovers, unnamed.Directory);
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

    /// <summary>Gives the new upload its own key back. If its content was deleted together with the old upload, nothing is left of it.</summary>
    private void KeepReplacement(UploadKey key, UploadFilePaths moved, UploadFilePaths unnamed)
    {
        foreach ((string from, string to) in ((string, string)[])
            [(moved.DurableOffsetPath, unnamed.DurableOffsetPath), (moved.DataPath, unnamed.DataPath), (moved.LockPath, unnamed.LockPath)])
        {
            if (_files.FileExists(from))
            {
                _files.RenameFile(from, to);
            }
        }

        if (!_files.FileExists(unnamed.DataPath) || !directorySync.TryMoveBack(key, unnamed.Directory))
        {
            TryDelete(() => _files.DeleteDirectory(unnamed.Directory, recursive: true), unnamed.Directory);
        }
    }

    /// <summary>
    /// Returns the paths of the files that have no meaning after the replacement: those of the old upload, and those that a crash during an earlier
    /// replacement left behind. They are listed under the lock of the old upload, because the files of the next replacement arrive after it.
    /// </summary>
    private string[] GetLeftovers(UploadFilePaths old, string newNonce)
    {
        string[] known = [old.LockPath, old.HiddenResponsePath, old.DurableOffsetPath, old.DataPath];
        IEnumerable<string> others = _files.GetFileNames(old.Directory)
            .Where(name => name.Length > newNonce.Length && name[newNonce.Length] == '.' && !name.StartsWith(newNonce, StringComparison.Ordinal))
            .Select(name => Path.Combine(old.Directory, name));
        return [.. known, .. others.Except(known)];
    }

    /// <summary>
    /// Deletes the files of the new upload after a failure, unless its record was written nevertheless. Nothing refers to them any more, and the disk may
    /// be full.
    /// </summary>
    private void DeleteReplacement(UploadKey key, UploadFilePaths old, UploadFilePaths replacement, string unnamed) => TryDelete(
        () =>
        {
            if (records.Read(key)?.Nonce == old.Nonce)
            {
                _files.DeleteFile(replacement.DataPath);
                _files.DeleteFile(replacement.DurableOffsetPath);
                _files.DeleteFile(replacement.LockPath);
                _files.DeleteDirectory(unnamed, recursive: true);
            }
        },
        replacement.DataPath);

    private void DeleteLeftovers(LockedUpload old, string[] leftovers, string unnamed)
    {
        // An open file cannot be deleted on Windows. The lock has no meaning any more: the record names another lock file.
        old.Dispose();
        foreach (string path in leftovers)
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
