using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Tries, before the first request, each thing that the store needs from its directory.</summary>
internal sealed class StartCheck(StoreContext context, UploadNames names)
{
    private const long LittleSpace = 1024 * 1024 * 1024;

    private readonly FileLayer _files = context.Files;

    public void Run(CancellationToken cancellationToken)
    {
        try
        {
            Check(cancellationToken);
        }
        catch (Exception e) when (IsFull(e))
        {
            // That is no wrong configuration: what is there can be asked for, and removed.
            Log.NoSpace(context.Logger, context.Paths.Root, e.Message);
        }
    }

    private static bool IsFull(Exception error) => StorageErrors.IsStorage(error) && StorageErrors.Classify(error) == StoreFailure.Full;

    private void Check(CancellationToken cancellationToken)
    {
        Try("creating it", names.EnsureRoot);
        string place = Path.Combine(context.Paths.Temp, "check-" + Nonce.Next());
        try
        {
            Try("creating a directory in it", () => _files.CreateDirectory(place));
            TryFile(Path.Combine(place, "file"), cancellationToken);
            Try("renaming a file in it", () => _files.Rename(Path.Combine(place, "file"), Path.Combine(place, "renamed")));
            Try("renaming a directory in it", () => RenameThereAndBack(place));
            if (context.Options.Durability == Durability.PowerLoss)
            {
                Try("syncing a directory in it", () => _files.SyncDirectory(place));
            }

            Try("asking for its free space", CheckSpace);
        }
        finally
        {
            Remove(place);
        }
    }

    private void TryFile(string path, CancellationToken cancellationToken)
    {
        Try("creating a file in it", () => _files.CreateFile(path).Dispose());
        Try("refusing to create a file that is there", () =>
        {
            try
            {
                _files.CreateFile(path).Dispose();
            }
            catch (IOException) when (_files.FileExists(path))
            {
                return;
            }

            throw new IOException("it was created twice");
        });
        Try("locking a file in it", () =>
        {
            using OpenFile first = _files.TryLock(path) ?? throw new IOException("the lock of a new file is taken");
            using OpenFile? second = _files.TryLock(path);
            if (second is not null)
            {
                throw new IOException("a second lock on the same file was not refused; the file system has no file locks, or they are switched off");
            }
        });
        cancellationToken.ThrowIfCancellationRequested();
        Try("writing to a file in it", () =>
        {
            using OpenFile file = _files.OpenWrite(path);
            _files.Write(file, new byte[MarkFile.SlotSize], 0);
        });
        if (context.Options.Durability == Durability.PowerLoss)
        {
            Try("syncing a file in it", () =>
            {
                using OpenFile file = _files.OpenWrite(path);
                _files.Sync(file);
            });
        }
    }

    private void RenameThereAndBack(string place)
    {
        // Into the directory that uploads are removed through, and back: both must be on one file system.
        string other = Path.Combine(context.Paths.Trash, Path.GetFileName(place));
        _files.RenameDirectory(place, other);
        _files.RenameDirectory(other, place);
    }

    private void CheckSpace()
    {
        long free = _files.FreeSpace(context.Paths.Root);
        if (free < LittleSpace)
        {
            Log.LittleSpace(context.Logger, context.Paths.Root, free);
        }
    }

    private void Try(string step, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when ((StorageErrors.IsStorage(e) || e is ArgumentException) && !IsFull(e))
        {
            throw new InvalidOperationException(
                $"The upload directory '{context.Paths.Root}' cannot be used: {step} failed ({StorageErrors.Describe(e)}). "
                + "Choose another with ResumableUploads:Directory, or make this one writable for the account that the app runs as.",
                e);
        }
    }

    private void Remove(string place)
    {
        foreach (string path in (ReadOnlySpan<string>)[place, Path.Combine(context.Paths.Trash, Path.GetFileName(place))])
        {
            try
            {
                if (_files.DirectoryExists(path))
                {
                    _files.DeleteDirectory(path, recursive: true);
                }
            }
            catch (Exception e) when (StorageErrors.IsStorage(e))
            {
                Log.NotRemoved(context.Logger, path, e);
            }
        }
    }
}
