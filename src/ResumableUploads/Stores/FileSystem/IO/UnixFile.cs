using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>What <see cref="FileLayer"/> does by system calls of its own on Linux and macOS.</summary>
internal static class UnixFile
{
    /// <summary>Returns when the file or directory is durable, and throws when it may not be.</summary>
    public static void Sync(SafeFileHandle handle, string path, bool dataOnly)
    {
        int result;
        do
        {
            result = OperatingSystem.IsMacOS() ? NativeMethods.Fcntl(handle, NativeMethods.FcntlFullFSync)
                : dataOnly ? NativeMethods.FDataSync(handle) : NativeMethods.FSync(handle);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

        if (result < 0)
        {
            throw NativeMethods.CreateException("Syncing", path);
        }
    }

    /// <summary>Opens a directory or file for reading; null when there is none.</summary>
    public static SafeFileHandle? TryOpenRead(string path)
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

        return Marshal.GetLastPInvokeError() is NativeMethods.ENOENT or NativeMethods.ENOTDIR ? null : throw NativeMethods.CreateException("Opening", path);
    }

    /// <summary>
    /// Opens a file by one call, where the framework makes four; null where it cannot: the framework tries again then, and says what is wrong.
    /// </summary>
    public static SafeFileHandle? TryOpen(string path, FileMode mode, FileAccess access)
    {
        // With short offsets a long file could not be opened like this.
        if (!NativeMethods.Is64BitLinux)
        {
            return null;
        }

        int flags = NativeMethods.OpenCloseOnExec
            | (access == FileAccess.Read ? 0 : NativeMethods.OpenReadWrite)
            | (mode == FileMode.CreateNew ? NativeMethods.OpenCreate | NativeMethods.OpenExclusive : 0);
        int descriptor = NativeMethods.OpenAt(NativeMethods.AtCurrentDirectory, path, flags, NativeMethods.DefaultFileMode);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Makes one directory; false when there is none that it could be in.</summary>
    public static bool TryCreateDirectory(string path) =>
        NativeMethods.Mkdir(path, NativeMethods.DefaultDirectoryMode) == 0
        || (IsLastErrorNotFound() ? false : throw NativeMethods.CreateException("Making the directory", path));

    /// <summary>Copies inside the kernel; 0 where file system, kernel or C library cannot, or there is nothing to copy.</summary>
    public static long CopyRange(SafeFileHandle from, long fromOffset, SafeFileHandle to, long toOffset, long count, string path)
    {
        nint copied;
        try
        {
            do
            {
                copied = NativeMethods.CopyFileRange(from, ref fromOffset, to, ref toOffset, (nint)count, 0);
            }
            while (copied < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);
        }
        catch (EntryPointNotFoundException)
        {
            return 0;
        }

        return copied >= 0 ? copied : Marshal.GetLastPInvokeError() switch
        {
            NativeMethods.ENOSPC or NativeMethods.EFBIG => throw NativeMethods.CreateException("Copying to", path),
            var error when error == NativeMethods.EDQUOT => throw NativeMethods.CreateException("Copying to", path, error),

            // Other file systems, old kernels: whatever it is, reading and writing will tell.
            _ => 0,
        };
    }

    /// <summary>Renames without replacing, where kernel, file system and C library can: else false in <paramref name="supported"/>.</summary>
    public static bool TryRenameNoReplace(string from, string to, out bool supported)
    {
        supported = true;
        int error;
        try
        {
            error = NativeMethods.RenameAt2(NativeMethods.AtCurrentDirectory, from, NativeMethods.AtCurrentDirectory, to, NativeMethods.RenameNoReplaceFlag) == 0
                ? 0 : Marshal.GetLastPInvokeError();
        }
        catch (EntryPointNotFoundException)
        {
            error = NativeMethods.ENOSYS;
        }

        if (error == NativeMethods.EINVAL || error == NativeMethods.ENOSYS)
        {
            supported = false;
            return false;
        }

        return error switch
        {
            0 => true,
            NativeMethods.EEXIST => false,
            _ => throw NativeMethods.CreateException("Renaming a file to", to, error),
        };
    }

    /// <summary>
    /// <see cref="FileLayer.ReplaceFile"/> on Linux: all steps go through one handle to the directory, so that none of them can hit
    /// another that has taken its name. (The calls with a mode have variable arguments, which are passed in another way on macOS.)
    /// </summary>
    public static bool ReplaceFile(FileLayer files, string path, string guard, string name, string temporary, ReadOnlySpan<byte> content, bool sync)
    {
        using SafeFileHandle? directory = TryOpenRead(path);
        if (directory is null)
        {
            return false;
        }

        if (NativeMethods.FAccessAt(directory, guard, 0, 0) != 0)
        {
            return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException("Looking for a file in", path);
        }

        int descriptor = NativeMethods.OpenAt(
            directory, temporary, NativeMethods.OpenWriteOnly | NativeMethods.OpenCreate | NativeMethods.OpenTruncate | NativeMethods.OpenCloseOnExec, NativeMethods.DefaultFileMode);
        if (descriptor < 0)
        {
            return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException($"Creating '{temporary}' in", path);
        }

        try
        {
            using var file = new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), Path.Combine(path, temporary));
            RandomAccess.Write(file.Handle, content, 0);
            if (sync)
            {
                files.MarkNameUnsynced(file);
                Sync(file.Handle, file.Path, dataOnly: true);
            }

            if (NativeMethods.RenameAt(directory, temporary, directory, name) != 0)
            {
                // Nobody takes the file away but a delete, which removes the whole directory.
                return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException($"Renaming to '{name}' in", path);
            }

            if (sync)
            {
                Sync(directory, path, dataOnly: false);
                files.MarkNameSynced(file);
            }
        }
        catch
        {
            // A half-written file would hold the room that the next try needs.
            _ = NativeMethods.UnlinkAt(directory, temporary, 0);
            throw;
        }

        return true;
    }

    private static bool IsLastErrorNotFound() => Marshal.GetLastPInvokeError() == NativeMethods.ENOENT;
}
