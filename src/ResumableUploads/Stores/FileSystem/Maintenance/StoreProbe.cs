using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations;

namespace ResumableUploads.Stores.FileSystem.Maintenance;

/// <summary>Writes and syncs a small file in the directory of a store. Its directory is a temporary one, so a clean-up deletes both after a crash.</summary>
internal sealed class StoreProbe(StoreContext context, DirectorySync directorySync)
{
    private readonly FileLayer _files = context.Files;

    public void Run()
    {
        directorySync.EnsureDirectories();
        string directory = Path.Combine(context.Paths.Temp, "probe-" + NonceGenerator.Next());
        try
        {
            _files.CreateDirectory(directory);
            using OpenFile file = _files.CreateFile(Path.Combine(directory, "file"));
            _files.Write(file, new byte[DurableOffsetFile.SlotSize], 0);
            if (context.Options.Durability == Durability.PowerLoss)
            {
                _files.Sync(file);
            }
        }
        finally
        {
            Delete(directory);
        }
    }

    public long GetFreeSpace() => _files.GetAvailableFreeSpace(context.Paths.Root);

    private void Delete(string directory)
    {
        try
        {
            if (_files.DirectoryExists(directory))
            {
                _files.DeleteDirectory(directory, recursive: true);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // The clean-up of another process may have deleted it.
            if (!StorageErrors.IsNotFound(e))
            {
                Log.DeleteFailed(context.Logger, directory, e);
            }
        }
    }
}
