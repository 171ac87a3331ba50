using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Creates the directories of the store, and makes the names on the path to an upload durable.</summary>
internal sealed class DirectorySync(StoreContext context)
{
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

    /// <summary>Makes the name of an upload durable after it was renamed to its place.</summary>
    public void SyncNewUpload(UploadKey key)
    {
        using OpenFile? record = TryOpenRead(context.Paths.GetRecordPath(key));
        context.SyncAll(GetAncestors(key));
        MarkNameSynced(record);
    }

    /// <summary>
    /// Makes a file and its name durable before its content is reported. The process that renamed the file may have died before it synced the file and the
    /// directory, or may be about to.
    /// </summary>
    /// <returns>Whether anything had to be synced.</returns>
    public bool EnsureSynced(UploadKey key, FileSnapshot snapshot)
    {
        if (!_files.IsNameUnsynced(snapshot))
        {
            return false;
        }

        context.RequireThread();

        // The file is opened before the syncs, because only a file that exists before them has a durable name after them.
        using OpenFile? file = TryOpenRead(snapshot.Path);
        EnsureDirectories();
        context.SyncAll([.. file is null ? [] : (ReadOnlySpan<SyncTarget>)[new SyncTarget(file)], new SyncTarget(context.Paths.GetUploadDirectory(key)), .. GetAncestors(key)]);
        MarkNameSynced(file);
        return true;
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

    private void MarkNameSynced(OpenFile? file)
    {
        if (file is not null)
        {
            _files.MarkNameSynced(file);
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
