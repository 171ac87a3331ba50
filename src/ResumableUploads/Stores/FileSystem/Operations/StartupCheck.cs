using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Tries, before the first request, each thing that the store needs from its directory.</summary>
internal sealed class StartupCheck(StoreContext context, DirectorySync directorySync)
{
    private const long LowSpaceThreshold = 1024 * 1024 * 1024;

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
            Log.DiskFull(context.Logger, context.Paths.Root, e.Message);
        }
    }

    private static bool IsFull(Exception error) => StorageErrors.IsStorageError(error) && StorageErrors.Classify(error) == StoreFailure.Full;

    private void Check(CancellationToken cancellationToken)
    {
        RunStep("creating it", directorySync.EnsureDirectories);
        string place = Path.Combine(context.Paths.Temp, "check-" + NonceGenerator.Next());
        try
        {
            RunStep("creating a directory in it", () => _files.CreateDirectory(place));
            CheckFile(Path.Combine(place, "file"), cancellationToken);
            RunStep("renaming a file in it", () => _files.RenameFile(Path.Combine(place, "file"), Path.Combine(place, "renamed")));
            RunStep("renaming a directory in it", () => RenameToTrashAndBack(place));
            if (context.Options.Durability == Durability.PowerLoss)
            {
                RunStep("syncing a directory in it", () => _files.SyncDirectory(place));
            }

            RunStep("asking for its free space", CheckFreeSpace);
        }
        finally
        {
            DeleteDirectories(place);
        }
    }

    private void CheckFile(string path, CancellationToken cancellationToken)
    {
        RunStep("creating a file in it", () => _files.CreateFile(path).Dispose());
        RunStep("refusing to create a file that is there", () =>
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
        RunStep("locking a file in it", () =>
        {
            using OpenFile first = _files.TryLock(path) ?? throw new IOException("the lock of a new file is taken");
            using OpenFile? second = _files.TryLock(path);
            if (second is not null)
            {
                throw new IOException("a second lock on the same file was not refused; the file system has no file locks, or they are switched off");
            }
        });
        cancellationToken.ThrowIfCancellationRequested();
        RunStep("writing to a file in it", () =>
        {
            using OpenFile file = _files.OpenWrite(path);
            _files.Write(file, new byte[DurableOffsetFile.SlotSize], 0);
        });
        if (context.Options.Durability == Durability.PowerLoss)
        {
            RunStep("syncing a file in it", () =>
            {
                using OpenFile file = _files.OpenWrite(path);
                _files.Sync(file);
            });
        }
    }

    private void RenameToTrashAndBack(string place)
    {
        // Into the directory that uploads are removed through, and back: both must be on one file system.
        string other = Path.Combine(context.Paths.Trash, Path.GetFileName(place));
        _files.RenameDirectory(place, other);
        _files.RenameDirectory(other, place);
    }

    private void CheckFreeSpace()
    {
        long free = _files.GetAvailableFreeSpace(context.Paths.Root);
        if (free < LowSpaceThreshold)
        {
            Log.LowDiskSpace(context.Logger, context.Paths.Root, free);
        }
    }

    private void RunStep(string step, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when ((StorageErrors.IsStorageError(e) || e is ArgumentException) && !IsFull(e))
        {
            throw new InvalidOperationException(
                $"The upload directory '{context.Paths.Root}' cannot be used: {step} failed ({StorageErrors.Describe(e)}). "
                + "Choose another with ResumableUploads:Directory, or make this one writable for the account that the app runs as.",
                e);
        }
    }

    private void DeleteDirectories(string place)
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
            catch (Exception e) when (StorageErrors.IsStorageError(e))
            {
                Log.DeleteFailed(context.Logger, path, e);
            }
        }
    }
}
