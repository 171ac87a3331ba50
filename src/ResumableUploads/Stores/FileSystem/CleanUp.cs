namespace ResumableUploads.Stores.FileSystem;

/// <summary>Removes what crashes left behind: half-made and half-removed uploads, and directories with nothing in them.</summary>
internal sealed class CleanUp(StoreContext context)
{
    /// <summary>A creation that has taken longer than this is not going on any more.</summary>
    private static readonly TimeSpan HalfMadeAge = TimeSpan.FromHours(1);

    private readonly FileLayer _files = context.Files;

    public void Run(CancellationToken cancellationToken)
    {
        DateTime old = context.Time.GetUtcNow().UtcDateTime - HalfMadeAge;
        foreach (string name in Names(context.Paths.Temp))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = Path.Combine(context.Paths.Temp, name);
            if (_files.DirectoryWritten(path) <= old)
            {
                Remove(path, recursive: true);
            }
        }

        foreach (string name in Names(context.Paths.Trash))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Remove(Path.Combine(context.Paths.Trash, name), recursive: true);
        }

        foreach (string owner in Names(context.Paths.Uploads))
        {
            string directory = context.Paths.Owner(owner);
            foreach (string shard in Names(directory))
            {
                cancellationToken.ThrowIfCancellationRequested();
                RemoveEmpty(Path.Combine(directory, shard));
            }

            RemoveEmpty(directory);
        }
    }

    private List<string> Names(string directory)
    {
        try
        {
            return _files.DirectoryNames(directory);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            if (!StorageErrors.IsMissing(e))
            {
                Log.NotRemoved(context.Logger, directory, e);
            }

            return [];
        }
    }

    private void RemoveEmpty(string path)
    {
        try
        {
            if (!_files.IsEmpty(path))
            {
                return;
            }
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            return;
        }

        Remove(path, recursive: false);
    }

    private void Remove(string path, bool recursive)
    {
        try
        {
            _files.DeleteDirectory(path, recursive);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            // Gone already, or, for one that was empty, in use again.
            if (recursive && _files.DirectoryExists(path))
            {
                Log.NotRemoved(context.Logger, path, e);
            }
        }
    }
}
