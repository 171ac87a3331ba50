using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What <see cref="FileLayer"/> does by system calls of its own on Linux and macOS.</summary>
internal static class UnixFiles
{
    /// <summary>Returns when the file or directory is durable, and throws when it may not be.</summary>
    public static void Sync(SafeFileHandle handle, string path, bool dataOnly)
    {
        int result;
        do
        {
            result = OperatingSystem.IsMacOS() ? Native.FControl(handle, Native.FullSync)
                : dataOnly ? Native.FDataSync(handle) : Native.FSync(handle);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Native.Interrupted);

        if (result < 0)
        {
            throw Native.Error("Syncing", path);
        }
    }

    /// <summary>Opens a directory or file for reading; null when there is none.</summary>
    public static SafeFileHandle? OpenRead(string path)
    {
        int descriptor;
        do
        {
            descriptor = Native.Open(path, Native.CloseOnExec);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Native.Interrupted);

        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }

        return Marshal.GetLastPInvokeError() is Native.NoEntry or Native.NotDirectory ? null : throw Native.Error("Opening", path);
    }

    /// <summary>
    /// Opens a file by one call, where the framework makes four; null where it cannot: the framework tries again then, and says what is wrong.
    /// </summary>
    public static SafeFileHandle? TryOpen(string path, FileMode mode, FileAccess access)
    {
        // With short offsets a long file could not be opened like this.
        if (!Native.HasLongOffsets)
        {
            return null;
        }

        int flags = Native.CloseOnExec
            | (access == FileAccess.Read ? 0 : Native.ReadWrite)
            | (mode == FileMode.CreateNew ? Native.Create | Native.New : 0);
        int descriptor = Native.OpenAt(Native.CurrentDirectory, path, flags, Native.FileMode);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Makes one directory; false when there is none that it could be in.</summary>
    public static bool TryCreateDirectory(string path) =>
        Native.MakeDirectory(path, Native.DirectoryMode) == 0
        || (IsGone() ? false : throw Native.Error("Making the directory", path));

    /// <summary>Copies inside the kernel; 0 where file system, kernel or C library cannot, or there is nothing to copy.</summary>
    public static long Copy(SafeFileHandle from, long fromOffset, SafeFileHandle to, long toOffset, long count, string path)
    {
        nint copied;
        try
        {
            do
            {
                copied = Native.CopyFileRange(from, ref fromOffset, to, ref toOffset, (nint)count, 0);
            }
            while (copied < 0 && Marshal.GetLastPInvokeError() == Native.Interrupted);
        }
        catch (EntryPointNotFoundException)
        {
            return 0;
        }

        return copied >= 0 ? copied : Marshal.GetLastPInvokeError() switch
        {
            Native.NoSpace or Native.TooLarge => throw Native.Error("Copying to", path),
            var error when error == Native.NoQuota => throw Native.Error("Copying to", path, error),

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
            error = Native.RenameAt2(Native.CurrentDirectory, from, Native.CurrentDirectory, to, Native.NoReplace) == 0
                ? 0 : Marshal.GetLastPInvokeError();
        }
        catch (EntryPointNotFoundException)
        {
            error = Native.NotImplemented;
        }

        if (error == Native.Invalid || error == Native.NotImplemented)
        {
            supported = false;
            return false;
        }

        return error switch
        {
            0 => true,
            Native.Exists => false,
            _ => throw Native.Error("Renaming a file to", to, error),
        };
    }

    /// <summary>
    /// <see cref="FileLayer.ReplaceFile"/> on Linux: all steps go through one handle to the directory, so that none of them can hit
    /// another that has taken its name. (The calls with a mode have variable arguments, which are passed in another way on macOS.)
    /// </summary>
    public static bool ReplaceFile(FileLayer files, string path, string guard, string name, string temporary, ReadOnlySpan<byte> content, bool sync)
    {
        using SafeFileHandle? directory = OpenRead(path);
        if (directory is null)
        {
            return false;
        }

        if (Native.AccessAt(directory, guard, 0, 0) != 0)
        {
            return IsGone() ? false : throw Native.Error("Looking for a file in", path);
        }

        int descriptor = Native.OpenAt(
            directory, temporary, Native.WriteOnly | Native.Create | Native.Truncate | Native.CloseOnExec, Native.FileMode);
        if (descriptor < 0)
        {
            return IsGone() ? false : throw Native.Error($"Creating '{temporary}' in", path);
        }

        try
        {
            using var file = new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), Path.Combine(path, temporary));
            RandomAccess.Write(file.Handle, content, 0);
            if (sync)
            {
                files.Unconfirm(file);
                Sync(file.Handle, file.Path, dataOnly: true);
            }

            if (Native.RenameAt(directory, temporary, directory, name) != 0)
            {
                // Nobody takes the file away but a delete, which removes the whole directory.
                return IsGone() ? false : throw Native.Error($"Renaming to '{name}' in", path);
            }

            if (sync)
            {
                Sync(directory, path, dataOnly: false);
                files.Confirm(file);
            }
        }
        catch
        {
            // A half-written file would hold the room that the next try needs.
            _ = Native.UnlinkAt(directory, temporary, 0);
            throw;
        }

        return true;
    }

    private static bool IsGone() => Marshal.GetLastPInvokeError() == Native.NoEntry;
}
