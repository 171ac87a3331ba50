using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>
/// The directory in which other processes leave their requests for this process: an empty file per request, whose name is the nonce of an upload, or the name
/// of a mailbox that has been opened. The lock of the mailbox shows that the process is alive.
/// </summary>
internal sealed class Mailbox : IDisposable
{
    public const string LockName = "lock";

    private const int MaxLockAttempts = 100;

    private readonly FileLayer _files;
    private readonly OpenFile _lock;

    private Mailbox(FileLayer files, string path, OpenFile lockFile) => (_files, Path, _lock) = (files, path, lockFile);

    public string Path { get; }

    /// <summary>Creates the mailbox of this process.</summary>
    public static Mailbox Open(FileLayer files, StorePaths paths)
    {
        string path = System.IO.Path.Join(paths.Mailboxes, NonceGenerator.Next());
        files.CreateDirectory(path);
        OpenFile? lockFile = null;
        try
        {
            string lockPath = System.IO.Path.Join(path, LockName);
            files.CreateFile(lockPath).Dispose();
            for (int attempt = 0; attempt < MaxLockAttempts && lockFile is null; attempt++)
            {
                // Another process that has just started may be looking whether this one is alive.
                Thread.Yield();
                lockFile = files.TryLock(lockPath);
            }

            return lockFile is null ? throw new IOException($"'{lockPath}' is locked by another process.") : new Mailbox(files, path, lockFile);
        }
        finally
        {
            if (lockFile is null)
            {
                Delete(files, path);
            }
        }
    }

    /// <summary>Removes the requests that have arrived, and returns their names.</summary>
    public List<string> TakeRequests()
    {
        List<string> requests = _files.GetFileNames(Path);
        requests.Remove(LockName);
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
    }
}
