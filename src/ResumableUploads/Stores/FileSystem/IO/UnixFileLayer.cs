using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>
/// The layer for Unix systems. It uses POSIX calls where the framework has no method or hides errors. A file has the modification time
/// <see cref="UnsyncedNameTimestamp"/> until its name is known to be durable, or <see cref="FailedSyncTimestamp"/> if a sync of it has failed.
/// </summary>
internal class UnixFileLayer : PortableFileLayer
{
    private static readonly DateTime UnsyncedNameTimestamp = DateTime.UnixEpoch;
    private static readonly DateTime FailedSyncTimestamp = DateTime.UnixEpoch.AddSeconds(1);

    private readonly GroupCommit _directoryCommits;

    public UnixFileLayer() => _directoryCommits = new GroupCommit(SyncDirectoryNow);

    public override bool FileExists(string path) => Exists(path) && base.FileExists(path);

    public override bool DirectoryExists(string path) => Exists(path) && base.DirectoryExists(path);

    public override FileStat? Stat(string path) => Exists(path) ? base.Stat(path) : null;

    [UnsupportedOSPlatform("windows")]
    public override void CreateDirectory(string path)
    {
        // The framework applies the mode only to the last directory of the path.
        if (Path.GetDirectoryName(path) is { } parent && !DirectoryExists(parent))
        {
            CreateDirectory(parent);
        }

        Directory.CreateDirectory(path, (UnixFileMode)NativeMethods.PrivateDirectoryMode);
    }

    public override bool TryCreateDirectory(string path) =>
        NativeMethods.Mkdir(path, NativeMethods.PrivateDirectoryMode) == 0
        || (IsLastErrorNotFound() ? false : throw NativeMethods.CreateException("Creating the directory", path));

    /// <summary>Locks with flock. The framework ignores its errors, other than that of a locked file, and opens the file without a lock.</summary>
    public override OpenFile? TryLock(string path)
    {
        SafeFileHandle handle = OpenToLock(path);
        bool isLocked = false;
        try
        {
            int result;
            do
            {
                result = NativeMethods.FLock(handle, NativeMethods.LockExclusive | NativeMethods.LockNonBlocking);
            }
            while (result < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

            if (result < 0)
            {
                IOException error = NativeMethods.CreateException("Locking", path);
                return StorageErrors.IsLocked(error) ? null : throw error;
            }

            isLocked = true;
            return new OpenFile(handle, path, isLocked: true);
        }
        finally
        {
            if (!isLocked)
            {
                handle.Dispose();
            }
        }
    }

    public override void DeleteEmptyDirectory(string path) => _ = NativeMethods.Rmdir(path);

    public override void Sync(OpenFile file) => Sync(file.Handle, file.Path, dataOnly: true);

    public override void SyncDirectory(string path) => _directoryCommits.Run(path);

    public override bool IsNameUnsynced(FileSnapshot snapshot) =>
        (snapshot.Stat ?? Stat(snapshot.Path))?.LastWriteTime is { } time && IsUnsynced(time);

    public override bool IsNameUnsynced(OpenFile file) => IsUnsynced(File.GetLastWriteTimeUtc(file.Handle));

    public override void MarkNameUnsynced(OpenFile file) => SetLastWriteTime(file, UnsyncedNameTimestamp);

    public override void MarkSyncFailed(OpenFile file)
    {
        try
        {
            SetLastWriteTime(file, FailedSyncTimestamp);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // The disk may be read-only by now.
        }
    }

    public override bool HasSyncFailed(FileSnapshot snapshot) => (snapshot.Stat ?? Stat(snapshot.Path))?.LastWriteTime == FailedSyncTimestamp;

    public override void MarkNameSynced(OpenFile file) => _ = NativeMethods.FUtimens(file.Handle, now: 0);

    public override void RenameFile(string from, string to)
    {
        if (NativeMethods.Rename(from, to) != 0)
        {
            throw NativeMethods.CreateException("Renaming a file to", to);
        }
    }

    /// <summary>Links and deletes, because POSIX has no rename that fails if the target exists.</summary>
    public override bool RenameFileNoReplace(string from, string to)
    {
        if (NativeMethods.Link(from, to) != 0)
        {
            return Marshal.GetLastPInvokeError() == NativeMethods.EEXIST ? false : throw NativeMethods.CreateException("Linking a file to", to);
        }

        DeleteFile(from);
        return true;
    }

    public override bool RenameDirectory(string from, string to)
    {
        if (NativeMethods.Rename(from, to) == 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error switch
        {
            _ when error == NativeMethods.EEXIST || error == NativeMethods.ENOTEMPTY => false,
            NativeMethods.ENOENT => throw new DirectoryNotFoundException($"Renaming the directory '{from}' to '{to}' failed: a part of a path does not exist."),
            _ => throw NativeMethods.CreateException($"Renaming the directory '{from}' to", to, error),
        };
    }

    /// <summary>Opens a file or directory for reading. Returns null if it does not exist.</summary>
    internal static SafeFileHandle? TryOpenRead(string path)
    {
        int descriptor;
        do
        {
            descriptor = NativeMethods.Open(path, NativeMethods.OpenCloseOnExec);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }

        return IsLastErrorNotFoundOrNotDirectory() ? null : throw NativeMethods.CreateException("Opening", path);
    }

    private static bool IsUnsynced(DateTime lastWriteTime) => lastWriteTime == UnsyncedNameTimestamp || lastWriteTime == FailedSyncTimestamp;

    /// <summary>Returns whether a path exists. The framework returns false after any error.</summary>
    private static bool Exists(string path) => NativeMethods.Access(path, mode: 0) == 0
        || (IsLastErrorNotFoundOrNotDirectory() ? false : throw NativeMethods.CreateException("Looking for", path));

    /// <summary>Opens a file for writing, without the shared lock that the framework takes.</summary>
    private SafeFileHandle OpenToLock(string path)
    {
        int descriptor;
        do
        {
            descriptor = NativeMethods.Open(path, NativeMethods.OpenReadWrite | NativeMethods.OpenCloseOnExec);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }

        IOException error = NativeMethods.CreateException("Opening", path);
        throw error.HResult switch
        {
            NativeMethods.ENOENT when DirectoryExists(Path.GetDirectoryName(path)!) => new FileNotFoundException(error.Message, path),
            NativeMethods.ENOENT or NativeMethods.ENOTDIR => new DirectoryNotFoundException(error.Message),
            _ => error,
        };
    }

    protected static bool IsLastErrorNotFound() => Marshal.GetLastPInvokeError() == NativeMethods.ENOENT;

    protected static bool IsLastErrorNotFoundOrNotDirectory() => Marshal.GetLastPInvokeError() is NativeMethods.ENOENT or NativeMethods.ENOTDIR;

    protected void Sync(SafeFileHandle handle, string path, bool dataOnly)
    {
        int result;
        do
        {
            result = SyncHandle(handle, dataOnly);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

        if (result < 0)
        {
            throw NativeMethods.CreateException("Syncing", path);
        }
    }

    private void SyncDirectoryNow(string path)
    {
        using SafeFileHandle? directory = TryOpenRead(path);
        if (directory is not null)
        {
            Sync(directory, path, dataOnly: false);
        }
    }

    protected virtual int SyncHandle(SafeFileHandle handle, bool dataOnly) =>
        dataOnly ? NativeMethods.FDataSync(handle) : NativeMethods.FSync(handle);

    [UnsupportedOSPlatform("windows")]
    protected override void SetPrivateMode(OpenFile file) => File.SetUnixFileMode(file.Handle, (UnixFileMode)NativeMethods.PrivateFileMode);

    /// <summary>Does nothing: an open file can be renamed.</summary>
    protected override void PrepareRename(OpenFile file)
    {
    }
}
