using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ResumableUploads.Stores.FileSystem.IO.Directories;

namespace ResumableUploads.Stores.FileSystem.IO.Linux;

/// <summary>
/// The layer for 64-bit Linux with statx. It reduces the system calls and exceptions of each request. For example, reading a record takes four system
/// calls instead of nine in the framework.
/// </summary>
internal sealed class Linux64FileLayer : LinuxFileLayer
{
    /// <summary>Gets whether the native methods pass offsets as the system expects them, and whether kernel and C library have statx.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess && ProbeStatx();

    /// <summary>Throws if the existence cannot be determined, where the framework returns false.</summary>
    public override bool FileExists(string path) => GetStatus(path, flags: 0) is { IsDirectory: false };

    /// <summary>Throws if the existence cannot be determined, where the framework returns false.</summary>
    public override bool DirectoryExists(string path) => GetStatus(path, flags: 0) is { IsDirectory: true };

    public override FileStat? Stat(string path) => GetStatus(path, NativeMethods.AtStatxForceSync)?.ToFileStat();

    public override List<string> GetDirectoryNames(string path, string? after, int count)
    {
        if (!DirectoryEntryReader.IsSupported)
        {
            return base.GetDirectoryNames(path, after, count);
        }

        var page = new OrderedNamePage(after, count);
        DirectoryEntryReader.ReadDirectoryNames(page, path);
        return page.ToList();
    }

    public override byte[]? ReadFile(string path, int maxLength)
    {
        using FileSnapshot? snapshot = ReadSnapshot(path, maxLength);
        return snapshot is null ? null : snapshot.Content.ToArray();
    }

    public override int? ReadPrefix(string path, Span<byte> buffer)
    {
        using SafeFileHandle? handle = TryOpenRead(path);
        return handle is null ? null : ReadFully(handle, path, buffer);
    }

    public override FileSnapshot? ReadSnapshot(string path, int maxLength)
    {
        SafeFileHandle? handle = TryOpenRead(path);
        if (handle is null)
        {
            return null;
        }

        FileSnapshot? snapshot = null;
        try
        {
            if (NativeMethods.Statx(handle, "", NativeMethods.AtEmptyPath, NativeMethods.StatxBasicStats, out StatxBuffer status) != 0)
            {
                throw NativeMethods.CreateException("Getting the status of", path);
            }

            return snapshot = status.ToFileStat() is { } stat ? ReadSnapshot(handle, path, (int)Math.Min(stat.Length, maxLength + 1L), stat) : null;
        }
        finally
        {
            if (snapshot is null)
            {
                handle.Dispose();
            }
        }
    }

    /// <summary>Compares the inode first, and the content on file systems whose inode numbers are not stable.</summary>
    public override bool IsUnchanged(FileSnapshot snapshot) =>
        (snapshot.Stat is { } before && Stat(snapshot.Path) is { } now && before == now) || base.IsUnchanged(snapshot);

    public override long GetLength(OpenFile file) =>
        NativeMethods.Statx(file.Handle, "", NativeMethods.AtEmptyPath, NativeMethods.StatxBasicStats, out StatxBuffer status) == 0
            ? status.ToFileStat()?.Length ?? 0
            : throw NativeMethods.CreateException("Getting the status of", file.Path);

    public override void Preallocate(OpenFile file, long offset, long length)
    {
        // tmpfs clears preallocated pages, so that they would be written twice.
        if (!IsTmpfs(file.Handle))
        {
            _ = NativeMethods.Fallocate(file.Handle, NativeMethods.FallocateKeepSize, offset, length);
        }
    }

    // An error is ignored here; the next sync reports it.
    public override void StartWriteback(OpenFile file, long offset, long length) =>
        _ = NativeMethods.SyncFileRange(file.Handle, offset, length, NativeMethods.SyncFileRangeWrite);

    protected override void WriteSegments(OpenFile file, in ReadOnlySequence<byte> content, long offset) =>
        GatherWriter.Write(file, content, offset);

    /// <summary>Opens a file with one system call, where the framework makes four.</summary>
    protected override OpenFile Open(string path, FileMode mode, FileAccess access)
    {
        int flags = NativeMethods.OpenCloseOnExec
            | (access == FileAccess.Read ? 0 : NativeMethods.OpenReadWrite)
            | (mode == FileMode.CreateNew ? NativeMethods.OpenCreate | NativeMethods.OpenExclusive : 0);
        int descriptor = NativeMethods.OpenAt(NativeMethods.AtCurrentDirectory, path, flags, NativeMethods.PrivateFileMode);

        // If it failed, the framework tries again and throws the right exception.
        return descriptor < 0 ? base.Open(path, mode, access) : new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), path);
    }

    private static StatxBuffer? GetStatus(string path, int flags)
    {
        if (NativeMethods.Statx(NativeMethods.AtCurrentDirectory, path, flags, NativeMethods.StatxBasicStats, out StatxBuffer status) == 0)
        {
            return status;
        }

        return IsLastErrorNotFoundOrNotDirectory() ? null : throw NativeMethods.CreateException("Getting the status of", path);
    }

    private static FileSnapshot ReadSnapshot(SafeFileHandle handle, string path, int length, FileStat stat)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        int count = ReadFully(handle, path, buffer.AsSpan(0, length));
        return new FileSnapshot(path, buffer, count, handle, stat);
    }

    private static unsafe int ReadFully(SafeFileHandle handle, string path, Span<byte> buffer)
    {
        int count = 0;
        fixed (byte* start = buffer)
        {
            while (count < buffer.Length)
            {
                nint read = NativeMethods.Read(handle, start + count, buffer.Length - count);
                if (read == 0)
                {
                    break;
                }

                if (read > 0)
                {
                    count += (int)read;
                }
                else if (Marshal.GetLastPInvokeError() != NativeMethods.EINTR)
                {
                    throw NativeMethods.CreateException("Reading", path);
                }
            }
        }

        return count;
    }

    private static unsafe bool IsTmpfs(SafeFileHandle file)
    {
        // The type of the file system is the first field of the structure.
        long* status = stackalloc long[NativeMethods.StatFsSize / sizeof(long)];
        return NativeMethods.FStatFs(file, status) == 0 && *status == NativeMethods.TmpfsMagic;
    }

    private static bool ProbeStatx()
    {
        try
        {
            return NativeMethods.Statx(NativeMethods.AtCurrentDirectory, "/", 0, NativeMethods.StatxBasicStats, out _) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }
}
