using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>
/// Everything that the store asks of the file system. The methods are virtual so that a test can make any of them fail. They throw
/// <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/> as the framework does.
/// </summary>
internal class FileLayer
{
    /// <summary>The time of the last write of a file whose name is not known to be durable.</summary>
    private static readonly DateTime UnsyncedNameTimestamp = DateTime.UnixEpoch;

    private static readonly string CurrentBootId = ReadBootId();

    /// <summary>Which start of the machine this is; where the system does not tell, which start of the process.</summary>
    public virtual string BootId => CurrentBootId;

    public virtual bool FileExists(string path) => File.Exists(path);

    public virtual bool DirectoryExists(string path) => Directory.Exists(path);

    public virtual void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <summary>Makes one directory; false when there is none that it could be in.</summary>
    public virtual bool TryCreateDirectory(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            return UnixFile.TryCreateDirectory(path);
        }

        bool isPossible = Directory.Exists(Path.GetDirectoryName(path));
        if (isPossible)
        {
            Directory.CreateDirectory(path);
        }

        return isPossible;
    }

    public virtual void DeleteFile(string path) => File.Delete(path);

    public virtual void DeleteDirectory(string path, bool recursive) => Directory.Delete(path, recursive);

    /// <summary>The length and the time of the last write, or null when there is no such file.</summary>
    public virtual (long Length, DateTime Written)? Stat(string path)
    {
        if (LinuxFile.IsSupported)
        {
            return LinuxFile.Stat(path) is { } status ? (status.Length, status.LastWriteTime) : null;
        }

        var file = new FileInfo(path);
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : null;
    }

    /// <summary>The first of the names of directories in a directory, in ordinal order and behind a name.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="after">The name, or null to begin with the first one.</param>
    /// <param name="count">How many at most.</param>
    public virtual List<string> GetDirectoryNames(string path, string? after, int count)
    {
        var page = new OrderedNamePage(after, count);
        SubdirectoryReader.ReadNames(page, path);
        return page.ToList();
    }

    /// <summary>Removes a directory if there is nothing in it and the system lets it.</summary>
    public virtual void DeleteEmptyDirectory(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = NativeMethods.Rmdir(path);
            return;
        }

        try
        {
            Directory.Delete(path, recursive: false);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // In use again, or gone.
        }
    }

    public virtual DateTime GetDirectoryLastWriteTime(string path) => Directory.GetLastWriteTimeUtc(path);

    public virtual long GetAvailableFreeSpace(string path) => new DriveInfo(path).AvailableFreeSpace;

    /// <summary>The whole file, or null when there is none. What is longer than the bound is cut one byte behind it.</summary>
    public virtual byte[]? ReadFile(string path, int bound)
    {
        if (LinuxFile.IsSupported)
        {
            using FileSnapshot? held = LinuxFile.ReadSnapshot(path, bound);
            return held?.Content;
        }

        // Asked first because most keys that are looked up do not exist, and an exception is dear.
        if (!FileExists(path))
        {
            return null;
        }

        try
        {
            using OpenFile file = OpenRead(path);
            byte[] bytes = new byte[(int)Math.Min(GetLength(file), bound + 1L)];
            int count = 0;
            for (int read = -1; read != 0 && count < bytes.Length; count += read)
            {
                read = RandomAccess.Read(file.Handle, bytes.AsSpan(count), count);
            }

            return bytes.AsSpan(0, count).ToArray();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The first bytes of a file, as many as there are room and bytes for: how many these are, or null when there is no file.</summary>
    public virtual int? ReadPrefix(string path, Span<byte> buffer)
    {
        if (LinuxFile.IsSupported)
        {
            return LinuxFile.ReadPrefix(path, buffer);
        }

        byte[]? bytes = ReadFile(path, buffer.Length);
        int count = Math.Min(bytes?.Length ?? 0, buffer.Length);
        bytes.AsSpan(0, count).CopyTo(buffer);
        return bytes is null ? null : count;
    }

    /// <summary>The whole file as <see cref="ReadFile"/> gives it, held so that it can be asked later whether it is still the file at its path.</summary>
    public virtual FileSnapshot? ReadSnapshot(string path, int bound) =>
        LinuxFile.IsSupported ? LinuxFile.ReadSnapshot(path, bound)
        : ReadFile(path, bound) is { } bytes ? new FileSnapshot(path, bytes)
        : null;

    /// <summary>
    /// Whether the path leads to the very file that is held, or to one with the same content: for file systems where a file has no number
    /// of its own that stays.
    /// </summary>
    public virtual bool IsUnchanged(FileSnapshot file) =>
        (file.Status is { } held && LinuxFile.Stat(file.Path) is { } there && held == there)
        || file.Content.AsSpan().SequenceEqual(ReadFile(file.Path, file.Content.Length));

    /// <summary>Opens for reading, beside writers, moves and deletes.</summary>
    public virtual OpenFile OpenRead(string path) => Open(path, FileMode.Open, FileAccess.Read);

    /// <summary>Opens for writing, beside readers, moves and deletes.</summary>
    public virtual OpenFile OpenWrite(string path) => Open(path, FileMode.Open, FileAccess.ReadWrite);

    /// <summary>Makes a file that must not be there yet.</summary>
    public virtual OpenFile CreateFile(string path) => Open(path, FileMode.CreateNew, FileAccess.ReadWrite);

    /// <summary>Opens a file so that no second caller can, in this or another process; null while another has it.</summary>
    public virtual OpenFile? TryLock(string path)
    {
        try
        {
            return new(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None), path);
        }
        catch (IOException e) when (StorageErrors.IsLocked(e))
        {
            return null;
        }
    }

    public virtual long GetLength(OpenFile file) => RandomAccess.GetLength(file.Handle);

    public void Write(OpenFile file, ReadOnlyMemory<byte> content, long offset) => Write(file, new ReadOnlySequence<byte>(content), offset);

    public virtual void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
    {
        try
        {
            GatherWriter.Write(file.Handle, content, offset, file.Path);
        }
        catch (ArgumentOutOfRangeException e)
        {
            // The framework's word for a file that grows past what the file system or a limit of the process allows.
            throw new IOException($"Writing '{file.Path}' at {offset} failed: {e.Message}", NativeMethods.EFBIG);
        }
    }

    /// <summary>Copies bytes from file to file inside the system, which may share them; 0 where it cannot.</summary>
    public virtual long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count) =>
        OperatingSystem.IsLinux() ? UnixFile.CopyRange(from.Handle, fromOffset, to.Handle, toOffset, count, to.Path) : 0;

    /// <summary>Finds room for what is going to be written, if the system can. It is given back by <see cref="Truncate"/>.</summary>
    public virtual void Preallocate(OpenFile file, long offset, long length) => LinuxDisk.Preallocate(file.Handle, offset, length);

    /// <summary>Begins to write to the disk what is not synced yet, if the system can.</summary>
    public virtual void StartWriteback(OpenFile file, long offset, long length) => LinuxDisk.StartWriteback(file.Handle, offset, length);

    public virtual void Truncate(OpenFile file, long length) => RandomAccess.SetLength(file.Handle, length);

    public virtual void SetLastWriteTime(OpenFile file, DateTime time) => File.SetLastWriteTimeUtc(file.Handle, time);

    /// <summary>Returns when the content and length of the file are durable, and throws when they may not be.</summary>
    public virtual void Sync(OpenFile file)
    {
        if (OperatingSystem.IsWindows())
        {
#pragma warning disable RS0030 // It reports errors on Windows; on Linux it does not.
            RandomAccess.FlushToDisk(file.Handle);
#pragma warning restore RS0030
            return;
        }

        UnixFile.Sync(file.Handle, file.Path, dataOnly: true);
    }

    /// <summary>Returns when the names in the directory are durable. A directory that is not there needs none of it.</summary>
    public virtual void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using SafeFileHandle? directory = UnixFile.TryOpenRead(path);
        if (directory is not null)
        {
            UnixFile.Sync(directory, path, dataOnly: false);
        }
    }

    /// <summary>
    /// Whether the name of the file may not be durable yet: it can be read as soon as the file was renamed, and the directory is synced after that,
    /// by its writer, who may have died in between, or by whoever reads it.
    /// </summary>
    public virtual bool IsNameUnsynced(FileSnapshot file) =>
        !OperatingSystem.IsWindows() && (file.Status?.LastWriteTime ?? Stat(file.Path)?.Written) == UnsyncedNameTimestamp;

    /// <summary>What follows is a rename, and then the sync of a directory. (On Windows there is no such sync.)</summary>
    public virtual void MarkNameUnsynced(OpenFile file)
    {
        if (!OperatingSystem.IsWindows())
        {
            SetLastWriteTime(file, UnsyncedNameTimestamp);
        }
    }

    /// <summary>The name of the file is durable. If nobody can be told, the next reader syncs again.</summary>
    public virtual void MarkNameSynced(OpenFile file)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = NativeMethods.FUtimens(file.Handle, now: 0);
        }
    }

    /// <summary>
    /// Puts a file in the place of another in one step, in the very directory that has the file <paramref name="guard"/>: a directory
    /// of the same name that has taken its place meanwhile is left alone. False when there is no such directory.
    /// </summary>
    public virtual bool ReplaceFile(string directory, string guard, string name, string temporary, ReadOnlySpan<byte> content, bool sync)
    {
        if (OperatingSystem.IsLinux())
        {
            return UnixFile.ReplaceFile(this, directory, guard, name, temporary, content, sync);
        }

        return PortableFileReplacer.Replace(this, directory, guard, name, temporary, content, sync);
    }

    /// <summary>Renames a file, over one that may be there.</summary>
    public virtual void RenameFile(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            File.Move(from, to, overwrite: true);
        }
        else if (NativeMethods.Rename(from, to) != 0)
        {
            throw NativeMethods.CreateException("Renaming a file to", to);
        }
    }

    /// <summary>Renames a file; false when the target is there.</summary>
    public virtual bool RenameFileNoReplace(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                File.Move(from, to, overwrite: false);
                return true;
            }
            catch (IOException) when (File.Exists(to))
            {
                return false;
            }
        }

        if (OperatingSystem.IsLinux())
        {
            bool renamed = UnixFile.TryRenameNoReplace(from, to, out bool supported);
            if (supported)
            {
                return renamed;
            }
        }

        // Not every file system knows that kind of rename. A link is refused in the same way where the target is there.
        if (NativeMethods.Link(from, to) != 0)
        {
            return Marshal.GetLastPInvokeError() == NativeMethods.EEXIST ? false : throw NativeMethods.CreateException("Linking a file to", to);
        }

        DeleteFile(from);
        return true;
    }

    /// <summary>Renames a directory; false when the target is there and not empty.</summary>
    public virtual bool RenameDirectory(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                Directory.Move(from, to);
                return true;
            }
            catch (IOException) when (Directory.Exists(from) && Directory.Exists(to))
            {
                return false;
            }
        }

        if (NativeMethods.Rename(from, to) == 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error switch
        {
            _ when error == NativeMethods.EEXIST || error == NativeMethods.ENOTEMPTY => false,
            NativeMethods.ENOENT => throw new DirectoryNotFoundException($"Renaming a directory from '{from}' to '{to}' failed: a part of a path is missing."),
            _ => throw NativeMethods.CreateException($"Renaming the directory '{from}' to", to, error),
        };
    }

    private static OpenFile Open(string path, FileMode mode, FileAccess access) =>
        new(UnixFile.TryOpen(path, mode, access) ?? File.OpenHandle(path, mode, access, FileShare.ReadWrite | FileShare.Delete), path);

    private static string ReadBootId()
    {
        try
        {
            if (OperatingSystem.IsLinux()
                && Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id").AsSpan().Trim(), out Guid id))
            {
                return id.ToString("D");
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // No /proc: as on systems that never had it.
        }

        return Guid.NewGuid().ToString("D");
    }
}
