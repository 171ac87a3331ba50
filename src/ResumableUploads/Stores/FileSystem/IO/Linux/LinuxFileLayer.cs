using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO.Linux;

/// <summary>The layer for Linux on any processor and with any C library.</summary>
internal class LinuxFileLayer : UnixFileLayer
{
    private static readonly string? MachineBootId = ReadBootId();

    public override string BootId => MachineBootId ?? base.BootId;

    public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count)
    {
        nint copied;
        try
        {
            do
            {
                copied = NativeMethods.CopyFileRange(from.Handle, ref fromOffset, to.Handle, ref toOffset, (nint)count, 0);
            }
            while (copied < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);
        }
        catch (EntryPointNotFoundException)
        {
            return 0;
        }

        return copied >= 0 ? copied : Marshal.GetLastPInvokeError() switch
        {
            NativeMethods.ENOSPC or NativeMethods.EFBIG => throw NativeMethods.CreateException("Copying to", to.Path),
            var error when error == NativeMethods.EDQUOT => throw NativeMethods.CreateException("Copying to", to.Path, error),

            // Not supported between these file systems or by this kernel. If it is a real error, reading or writing reports it.
            _ => 0,
        };
    }

    /// <summary>
    /// Replaces a file through one handle of the directory, so that no step can reach another directory that has taken the same path.
    /// </summary>
    /// <remarks>Not for macOS, which passes the variable arguments of openat in another way.</remarks>
    public override bool ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        string path = replacement.Directory;
        using SafeFileHandle? directory = TryOpenRead(path);
        if (directory is null)
        {
            return false;
        }

        if (NativeMethods.FAccessAt(directory, replacement.GuardName, 0, 0) != 0)
        {
            return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException("Looking for a file in", path);
        }

        int descriptor = NativeMethods.OpenAt(
            directory,
            replacement.TemporaryName,
            NativeMethods.OpenWriteOnly | NativeMethods.OpenCreate | NativeMethods.OpenTruncate | NativeMethods.OpenCloseOnExec,
            NativeMethods.PrivateFileMode);
        if (descriptor < 0)
        {
            return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException($"Creating '{replacement.TemporaryName}' in", path);
        }

        try
        {
            using var file = new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), replacement.TemporaryPath);
            RandomAccess.Write(file.Handle, content, 0);
            if (replacement.Sync)
            {
                MarkNameUnsynced(file);
                Sync(file.Handle, file.Path, dataOnly: true);
            }

            if (NativeMethods.RenameAt(directory, replacement.TemporaryName, directory, replacement.Name) != 0)
            {
                // Only a delete removes the file, together with the whole directory.
                return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException($"Renaming to '{replacement.Name}' in", path);
            }

            if (replacement.Sync)
            {
                Sync(directory, path, dataOnly: false);
                MarkNameSynced(file);
            }
        }
        catch
        {
            // On a full disk, a partly written file would occupy the space that the next attempt needs.
            _ = NativeMethods.UnlinkAt(directory, replacement.TemporaryName, 0);
            throw;
        }

        return true;
    }

    public override bool RenameFileNoReplace(string from, string to)
    {
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

        return error switch
        {
            0 => true,
            NativeMethods.EEXIST => false,

            // Not every kernel and file system supports the flag.
            _ when error == NativeMethods.EINVAL || error == NativeMethods.ENOSYS => base.RenameFileNoReplace(from, to),
            _ => throw NativeMethods.CreateException("Renaming a file to", to, error),
        };
    }

    private static string? ReadBootId()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id").AsSpan().Trim(), out Guid id) ? id.ToString("D") : null;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // /proc is not mounted.
            return null;
        }
    }
}
