using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Creates the directories of the store, and makes the names on the path to an upload durable.</summary>
internal sealed class DirectorySync(StoreContext context)
{
    // A listing may delete the empty parent directory between two steps.
    private const int MaxAttempts = 20;

    private readonly FileLayer _files = context.Files;
    private volatile bool _directoriesExist;

    /// <summary>
    /// Creates the directory of the store and its subdirectories. The parent must exist, so that an unmounted disk is not replaced by an empty directory.
    /// </summary>
    public void EnsureDirectories()
    {
        StorePaths paths = context.Paths;
        if (_directoriesExist && _files.DirectoryExists(paths.Temp))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(paths.Root);
        if (parent is not null && !_files.DirectoryExists(parent))
        {
            throw new DirectoryNotFoundException($"the parent directory '{parent}' does not exist");
        }

        foreach (string directory in (ReadOnlySpan<string>)[paths.Root, paths.Uploads, paths.Temp, paths.Trash, paths.Quarantine])
        {
            _files.CreateDirectory(directory);
        }

        if (context.Options.Durability == Durability.PowerLoss)
        {
            _files.SyncDirectory(paths.Root);
            if (parent is not null)
            {
                SyncRootParent(parent);
            }
        }

        _directoriesExist = true;
    }

    /// <summary>Renames a directory to that of an upload, and creates missing parents. Returns false if the upload exists.</summary>
    public bool TryMoveIntoPlace(UploadKey key, string directory)
    {
        bool isShardMissing = false;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (isShardMissing)
                {
                    _files.CreateDirectory(context.Paths.GetShardDirectory(key));
                }

                return _files.RenameDirectory(directory, context.Paths.GetUploadDirectory(key));
            }
            catch (DirectoryNotFoundException) when (attempt < MaxAttempts && _files.DirectoryExists(directory))
            {
                isShardMissing = true;
            }
        }
    }

    /// <summary>
    /// Renames the directory of an upload back to its place, and makes that durable. Returns false if another upload with the same key was created meanwhile.
    /// </summary>
    public bool TryMoveBack(UploadKey key, string directory)
    {
        bool isMoved = TryMoveIntoPlace(key, directory);
        context.SyncAll(GetAncestors(key));
        return isMoved;
    }

    /// <summary>
    /// Renames an upload back that was not meant to be deleted or to replace another one. It is moved to quarantine if another upload with the same key was
    /// created meanwhile.
    /// </summary>
    public void KeepOtherUpload(UploadKey key, string directory)
    {
        try
        {
            if (!TryMoveBack(key, directory))
            {
                string target = context.Paths.GetQuarantineDirectory(key);
                _files.CreateDirectory(context.Paths.Quarantine);
                _files.RenameDirectory(directory, target);
                Log.Quarantined(context.Logger, context.Paths.GetUploadDirectory(key), "another upload was created with its key", target);
            }
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e) && !_files.DirectoryExists(directory))
        {
            // A clean-up has moved it back first.
        }
    }

    /// <summary>Makes the name of an upload durable after it was renamed to its place.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="record">The record with which the upload was created. Another one may have replaced it by now, and may not be durable.</param>
    public void SyncNewUpload(UploadKey key, OpenFile record)
    {
        context.SyncAll(GetAncestors(key));
        _files.MarkNameSynced(record);
    }

    /// <summary>
    /// Makes a file and its name durable before its content is reported. The process that renamed the file may have died before it synced the file and the
    /// directory, or may be about to.
    /// </summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="snapshot">The file.</param>
    /// <param name="isContentSynced">Whether the content of the file was synced before the file was renamed.</param>
    public void EnsureSynced(UploadKey key, FileSnapshot snapshot, bool isContentSynced)
    {
        if (!_files.IsNameUnsynced(snapshot))
        {
            return;
        }

        context.RequireThread();

        // The file is opened before the syncs, because only a file that exists before them has a durable name after them.
        using OpenFile? file = TryOpenRead(snapshot.Path);
        EnsureDirectories();
        try
        {
            context.SyncAll([.. file is null ? [] : (ReadOnlySpan<SyncTarget>)[new SyncTarget(file)], new SyncTarget(context.Paths.GetUploadDirectory(key)), .. GetAncestors(key)]);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) && file is not null && !isContentSynced)
        {
            _files.MarkSyncFailed(file);
            throw;
        }

        if (file is not null)
        {
            _files.MarkNameSynced(file);
        }
    }

    /// <summary>
    /// Returns the directories whose entries are the path to the directory of an upload. All of them are synced, because another request may have created an
    /// existing parent without having synced it yet.
    /// </summary>
    public SyncTarget[] GetAncestors(UploadKey key) =>
    [
        new(context.Paths.GetShardDirectory(key)), new(context.Paths.GetOwnerDirectory(key.Owner)), new(context.Paths.Uploads),
    ];

    private OpenFile? TryOpenRead(string path)
    {
        try
        {
            return _files.OpenRead(path);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
    }

    private void SyncRootParent(string parent)
    {
        try
        {
            _files.SyncDirectory(parent);
        }
        catch (Exception e) when (e is UnauthorizedAccessException || e.HResult is 1 or 13)
        {
            // An administrator created the directory in a parent that this process may not read (EPERM, EACCES).
        }
    }
}
