using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Makes the names durable that lead to an upload.</summary>
internal sealed class UploadNames(StoreContext context)
{
    private readonly FileLayer _files = context.Files;
    private volatile bool _rootIsThere;

    /// <summary>Makes the store's own directory and those in it. Its parent must be there: a disk that is not mounted is not replaced.</summary>
    public void EnsureRoot()
    {
        UploadPaths paths = context.Paths;
        if (_rootIsThere && _files.DirectoryExists(paths.Temp))
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
                SyncParent(parent);
            }
        }

        _rootIsThere = true;
    }

    /// <summary>After an upload was put in its place.</summary>
    public void ConfirmCreation(UploadKey key)
    {
        using OpenFile? record = TryOpen(context.Paths.RecordOf(key));
        SyncParents(key);
        Confirm(record);
    }

    /// <summary>
    /// Before anything is told of a file of an upload: who put it there may have died before its name was durable, or be about to make it so.
    /// </summary>
    public void ConfirmFound(UploadKey key, HeldFile file)
    {
        if (!_files.IsUnconfirmed(file))
        {
            return;
        }

        // Opened before the syncs: only of what is there by now they make the name durable.
        using OpenFile? present = TryOpen(file.Path);
        EnsureRoot();
        _files.SyncDirectory(context.Paths.Upload(key));
        SyncParents(key);
        Confirm(present);
    }

    private void SyncParents(UploadKey key)
    {
        // All of them each time: who finds a parent in place does not know whether its maker has synced it yet.
        _files.SyncDirectory(context.Paths.Shard(key));
        _files.SyncDirectory(context.Paths.Owner(key.Owner));
        _files.SyncDirectory(context.Paths.Uploads);
    }

    private OpenFile? TryOpen(string path)
    {
        try
        {
            return _files.OpenRead(path);
        }
        catch (Exception e) when (StorageErrors.IsMissing(e))
        {
            // Deleted meanwhile.
            return null;
        }
    }

    private void Confirm(OpenFile? file)
    {
        if (file is not null)
        {
            _files.Confirm(file);
        }
    }

    private void SyncParent(string parent)
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
