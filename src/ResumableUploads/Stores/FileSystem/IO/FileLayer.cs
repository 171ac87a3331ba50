using System.Buffers;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>
/// The file system operations that the store needs. One subclass per platform implements them; tests substitute their own to make an
/// operation fail. Errors are <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>, as in the framework.
/// </summary>
internal abstract class FileLayer
{
    /// <summary>Gets the layer for the operating system that the process runs on.</summary>
    public static FileLayer Default { get; } =
        Linux.Linux64FileLayer.IsSupported ? new Linux.Linux64FileLayer()
        : OperatingSystem.IsLinux() ? new Linux.LinuxFileLayer()
        : OperatingSystem.IsMacOS() ? new MacFileLayer()
        : OperatingSystem.IsWindows() ? new WindowsFileLayer()
        : new UnixFileLayer();

    /// <summary>Gets an id of the current boot of the machine, or of the process where the system has no such id.</summary>
    public abstract string BootId { get; }

    /// <summary>Returns whether there is a file with this path. If the system cannot tell, that is an error.</summary>
    public abstract bool FileExists(string path);

    /// <summary>Returns whether there is a directory with this path. If the system cannot tell, that is an error.</summary>
    public abstract bool DirectoryExists(string path);

    /// <summary>Creates a directory and its missing parents.</summary>
    public abstract void CreateDirectory(string path);

    /// <summary>Creates a directory. Returns false if its parent does not exist.</summary>
    public abstract bool TryCreateDirectory(string path);

    public abstract void DeleteFile(string path);

    public abstract void DeleteDirectory(string path, bool recursive);

    /// <summary>Deletes a directory if it is empty. Errors are ignored.</summary>
    public abstract void DeleteEmptyDirectory(string path);

    /// <summary>Returns the length and times of a file, or null if there is no such file. If the system cannot tell, that is an error.</summary>
    public abstract FileStat? Stat(string path);

    /// <summary>Returns the first names of subdirectories in ordinal order.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="after">The name after which to start, or null to start with the first one.</param>
    /// <param name="count">The maximum number of names.</param>
    public abstract List<string> GetDirectoryNames(string path, string? after, int count);

    /// <summary>Returns the names of the files in a directory, in any order.</summary>
    public abstract List<string> GetFileNames(string path);

    public abstract DateTime GetDirectoryLastWriteTime(string path);

    public abstract void SetDirectoryLastWriteTime(string path, DateTime time);

    public abstract long GetAvailableFreeSpace(string path);

    /// <summary>
    /// Reads a whole file, or returns null if there is no such file. If the file is longer than <paramref name="maxLength"/>, its first
    /// <paramref name="maxLength"/> + 1 bytes are returned.
    /// </summary>
    public abstract byte[]? ReadFile(string path, int maxLength);

    /// <summary>Fills the buffer from the beginning of a file. Returns the number of bytes read, or null if there is no such file.</summary>
    public abstract int? ReadPrefix(string path, Span<byte> buffer);

    /// <summary>Reads a file like <see cref="ReadFile"/>, and keeps what <see cref="IsUnchanged"/> needs.</summary>
    public abstract FileSnapshot? ReadSnapshot(string path, int maxLength);

    /// <summary>Returns whether the path still leads to the file that was read, or to one with the same content.</summary>
    public abstract bool IsUnchanged(FileSnapshot snapshot);

    /// <summary>Opens a file for reading. Other handles may write, rename and delete it.</summary>
    public abstract OpenFile OpenRead(string path);

    /// <summary>Opens a file for writing. Other handles may read, rename and delete it.</summary>
    public abstract OpenFile OpenWrite(string path);

    /// <summary>Creates a file, and fails if it exists.</summary>
    public abstract OpenFile CreateFile(string path);

    /// <summary>
    /// Opens a file exclusively: a second call fails while the file is open, in this and in other processes. Returns null if the file is locked. If the system
    /// cannot lock it, that is an error.
    /// </summary>
    public abstract OpenFile? TryLock(string path);

    /// <summary>Returns whether a file exists and is locked. The file is locked during the call.</summary>
    public bool IsLocked(string path)
    {
        try
        {
            using OpenFile? lockFile = TryLock(path);
            return lockFile is null;
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return false;
        }
    }

    public abstract long GetLength(OpenFile file);

    public void Write(OpenFile file, ReadOnlyMemory<byte> content, long offset) => Write(file, new ReadOnlySequence<byte>(content), offset);

    public abstract void Write(OpenFile file, ReadOnlySequence<byte> content, long offset);

    /// <summary>Copies bytes between files in the kernel. Returns the number of bytes copied, or 0 if the system cannot.</summary>
    public abstract long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count);

    /// <summary>Reserves disk space behind the end of a file, if the system can. <see cref="Truncate"/> gives it back.</summary>
    public abstract void Preallocate(OpenFile file, long offset, long length);

    /// <summary>Starts writing dirty pages to the disk, if the system can, so that the next sync has less to wait for.</summary>
    public abstract void StartWriteback(OpenFile file, long offset, long length);

    public abstract void Truncate(OpenFile file, long length);

    public abstract void SetLastWriteTime(OpenFile file, DateTime time);

    /// <summary>Makes the content and the length of a file durable.</summary>
    public abstract void Sync(OpenFile file);

    /// <summary>Makes the entries of a directory durable. Does nothing if the directory does not exist.</summary>
    public abstract void SyncDirectory(string path);

    /// <summary>Makes several files and directories durable at the same time. Returns when all of them are.</summary>
    /// <param name="targets">The files and directories.</param>
    /// <param name="parallel">Runs the syncs.</param>
    /// <param name="outer">The layer that makes each sync: this one, or the outermost of its decorators.</param>
    public virtual void SyncAll(ReadOnlySpan<SyncTarget> targets, ParallelSync parallel, FileLayer outer) => parallel.Run(outer, targets);

    /// <summary>
    /// Returns whether the name of a file may not be durable yet. A renamed file can be read before its directory is synced, and the process that
    /// renamed it may have died in between.
    /// </summary>
    public abstract bool IsNameUnsynced(FileSnapshot snapshot);

    /// <summary>Returns whether a file has the mark of <see cref="MarkNameUnsynced"/>.</summary>
    public abstract bool IsNameUnsynced(OpenFile file);

    /// <summary>Marks a file that is about to be renamed, until <see cref="MarkNameSynced"/>.</summary>
    public abstract void MarkNameUnsynced(OpenFile file);

    /// <summary>
    /// Marks a file whose sync has failed, in addition to <see cref="MarkNameUnsynced"/>: another sync of it can succeed without any effect. Errors are ignored.
    /// </summary>
    public abstract void MarkSyncFailed(OpenFile file);

    /// <summary>Returns whether a file had the mark of <see cref="MarkSyncFailed"/> when it was read.</summary>
    public abstract bool HasSyncFailed(FileSnapshot snapshot);

    /// <summary>Removes the marks of <see cref="MarkNameUnsynced"/> and <see cref="MarkSyncFailed"/>. Errors are ignored: the next reader syncs again.</summary>
    public abstract void MarkNameSynced(OpenFile file);

    /// <summary>
    /// Replaces a file; readers see the old file or the new one. Returns null if the directory does not exist or is another one. Unless the replacement is
    /// <see cref="FileReplacementMode.Unsynced"/>, the new file is marked as by <see cref="MarkNameUnsynced"/>, and the caller syncs it and its directory.
    /// </summary>
    public abstract ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content);

    /// <summary>Renames a file and replaces the target.</summary>
    public abstract void RenameFile(string from, string to);

    /// <summary>Gets whether the system can exchange the names of two files, as far as is known.</summary>
    public abstract bool CanExchangeNames { get; }

    /// <summary>Exchanges the names of two files of one directory in one step. Only where <see cref="CanExchangeNames"/> is true.</summary>
    public abstract void ExchangeFiles(string first, string second);

    /// <summary>Opens a file in the directory of a replaced one, whatever directory has its path now.</summary>
    public virtual OpenFile OpenSibling(ReplacedFile replaced, string name) => OpenWrite(Path.Combine(replaced.Directory, name));

    /// <summary>Deletes a file in the directory of a replaced one, whatever directory has its path now.</summary>
    public virtual void DeleteSibling(ReplacedFile replaced, string name) => DeleteFile(Path.Combine(replaced.Directory, name));

    /// <summary>Exchanges the names of two files in the directory of a replaced one, whatever directory has its path now.</summary>
    public virtual void ExchangeSiblings(ReplacedFile replaced, string first, string second) =>
        ExchangeFiles(Path.Combine(replaced.Directory, first), Path.Combine(replaced.Directory, second));

    /// <summary>Renames a file. Returns false if the target exists.</summary>
    public abstract bool RenameFileNoReplace(string from, string to);

    /// <summary>Renames a directory. Returns false if the target exists and is not empty.</summary>
    public abstract bool RenameDirectory(string from, string to);
}
