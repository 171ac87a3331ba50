using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Makes the names durable that lead to an upload.</summary>
internal sealed class DirectorySync(StoreContext context)
{
    private readonly FileLayer _files = context.Files;
    private volatile bool _directoriesExist;

    /// <summary>Makes the store's own directory and those in it. Its parent must be there: a disk that is not mounted is not replaced.</summary>
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

    /// <summary>After an upload was put in its place.</summary>
    public void SyncNewUpload(UploadKey key)
    {
        using OpenFile? record = TryOpenRead(context.Paths.GetRecordPath(key));
        SyncAncestors(key);
        MarkNameSynced(record);
    }

    /// <summary>
    /// Before anything is told of a file of an upload: who put it there may have died before its name was durable, or be about to make it so.
    /// </summary>
    public void EnsureSynced(UploadKey key, FileSnapshot file)
    {
        if (!_files.IsNameUnsynced(file))
        {
            return;
        }

        // Opened before the syncs: only of what is there by now they make the name durable.
        using OpenFile? present = TryOpenRead(file.Path);
        EnsureDirectories();
        _files.SyncDirectory(context.Paths.GetUploadDirectory(key));
        SyncAncestors(key);
        MarkNameSynced(present);
    }

    private void SyncAncestors(UploadKey key)
    {
        // All of them each time: who finds a parent in place does not know whether its maker has synced it yet.
        _files.SyncDirectory(context.Paths.GetShardDirectory(key));
        _files.SyncDirectory(context.Paths.GetOwnerDirectory(key.Owner));
        _files.SyncDirectory(context.Paths.Uploads);
    }

    private OpenFile? TryOpenRead(string path)
    {
        try
        {
            return _files.OpenRead(path);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            // Deleted meanwhile.
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
            // The directory was made by somebody else, in one that this process may not read.
        }
    }
}
