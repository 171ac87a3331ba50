using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>
/// The directory in which other processes leave their requests for this process: an empty file per request, whose name is the nonce of an upload, or the name
/// of a mailbox that has been opened. A locked file next to it shows that the process is alive.
/// </summary>
internal sealed class Mailbox : IDisposable
{
    private readonly FileLayer _files;
    private readonly OpenFile _lock;

    private Mailbox(FileLayer files, string path, OpenFile lockFile) => (_files, Path, _lock) = (files, path, lockFile);

    public string Path { get; }

    public static string GetLockPath(string path) => path + ".lock";

    /// <summary>Creates the mailbox of this process. It is locked before other processes can see it.</summary>
    public static Mailbox Open(FileLayer files, StorePaths paths)
    {
        string path = System.IO.Path.Join(paths.Mailboxes, NonceGenerator.Next());
        files.CreateDirectory(paths.Mailboxes);
        files.CreateFile(GetLockPath(path)).Dispose();
        OpenFile? lockFile = null;
        bool isCreated = false;
        try
        {
            lockFile = files.TryLock(GetLockPath(path)) ?? throw new IOException($"'{GetLockPath(path)}' is locked by another process.");
            files.CreateDirectory(path);
            isCreated = true;
            return new Mailbox(files, path, lockFile);
        }
        finally
        {
            if (!isCreated)
            {
                lockFile?.Dispose();
                Delete(files, path);
            }
        }
    }

    /// <summary>Removes the requests that have arrived, and returns their names.</summary>
    public List<string> TakeRequests()
    {
        List<string> requests = _files.GetFileNames(Path);
        foreach (string name in requests)
        {
            _files.DeleteFile(System.IO.Path.Join(Path, name));
        }

        return requests;
    }

    public void Dispose()
    {
        _lock.Dispose();
        Delete(_files, Path);
    }

    /// <summary>Deletes a mailbox. A process that leaves a request at the same time may keep it from being deleted until another process starts.</summary>
    public static void Delete(FileLayer files, string path)
    {
        try
        {
            files.DeleteDirectory(path, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
        }

        try
        {
            files.DeleteFile(GetLockPath(path));
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
        }
    }
}
