using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations;

namespace ResumableUploads.Stores.FileSystem.Maintenance;

/// <summary>Tries, before the first request, every file operation that the store needs in its directory.</summary>
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
            // A full disk is not a wrong configuration: existing uploads can still be read and deleted.
            Log.DiskFull(context.Logger, context.Paths.Root, e.Message);
        }
    }

    private static bool IsFull(Exception error) => StorageErrors.IsStorageError(error) && StorageErrors.Classify(error) == StoreFailure.Full;

    private void Check(CancellationToken cancellationToken)
    {
        RunStep("creating it", directorySync.EnsureDirectories);
        string directory = Path.Combine(context.Paths.Temp, "check-" + NonceGenerator.Next());
        try
        {
            RunStep("creating a directory in it", () => _files.CreateDirectory(directory));
            CheckFile(Path.Combine(directory, "file"), cancellationToken);
            RunStep("renaming a file in it", () => _files.RenameFile(Path.Combine(directory, "file"), Path.Combine(directory, "renamed")));
            RunStep("replacing a file in it", () => ReplaceFile(directory, "renamed"));
            if (context.Options.Durability == Durability.PowerLoss)
            {
                RunStep("syncing a directory in it", () => _files.SyncDirectory(directory));
            }

            // Deleting an upload renames it into the trash, which must be on the same file system. From then on, the sweep of another process may delete it.
            RunStep("renaming a directory in it", () => _files.RenameDirectory(directory, GetTrashPath(directory)));
            RunStep("reading its free space", CheckFreeSpace);
        }
        finally
        {
            DeleteDirectories(directory);
        }
    }

    private void CheckFile(string path, CancellationToken cancellationToken)
    {
        RunStep("creating a file in it", () => _files.CreateFile(path).Dispose());
        RunStep("refusing to create an existing file", () =>
        {
            try
            {
                _files.CreateFile(path).Dispose();
            }
            catch (IOException) when (_files.FileExists(path))
            {
                return;
            }

            throw new IOException("the file was created twice");
        });
        RunStep("locking a file in it", () =>
        {
            using OpenFile first = _files.TryLock(path) ?? throw new IOException("a new file is already locked");
            using OpenFile? second = _files.TryLock(path);
            if (second is not null)
            {
                throw new IOException("a second lock on the same file was not refused; the file system does not support file locks, or they are disabled");
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

    private string GetTrashPath(string directory) => Path.Combine(context.Paths.Trash, Path.GetFileName(directory));

    /// <summary>Replaces a file like a record, so that the store knows from the start whether the file system can exchange names.</summary>
    private void ReplaceFile(string directory, string name)
    {
        FileReplacementMode mode = context.Options.Durability == Durability.PowerLoss ? FileReplacementMode.Exchange : FileReplacementMode.Unsynced;
        using ReplacedFile replaced = _files.ReplaceFile(new FileReplacement(directory, name, name, "replacement", mode), "replaced"u8)
            ?? throw new IOException("the directory was deleted meanwhile");
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
                + "Set ResumableUploads:Directory (without AddResumableUploads(): options.Directory) to another directory, or make this one writable for the account that the app runs as.",
                e);
        }
    }

    private void DeleteDirectories(string directory)
    {
        foreach (string path in (ReadOnlySpan<string>)[directory, GetTrashPath(directory)])
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
                // Another process may have deleted it first.
                if (!StorageErrors.IsNotFound(e))
                {
                    Log.DeleteFailed(context.Logger, path, e);
                }
            }
        }
    }
}
