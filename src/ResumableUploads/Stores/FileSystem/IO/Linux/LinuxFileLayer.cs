using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO.Linux;

/// <summary>The layer for Linux on any processor and with any C library.</summary>
internal class LinuxFileLayer : UnixFileLayer
{
    private static readonly string? MachineBootId = ReadBootId();

    private volatile bool _hasFailedToExchange;

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
    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        SafeFileHandle? directory = TryOpenRead(replacement.Directory);
        if (directory is null)
        {
            return null;
        }

        ReplacedFile? replaced = null;
        try
        {
            return replaced = ReplaceFile(directory, replacement, content);
        }
        finally
        {
            if (replaced is null)
            {
                directory.Dispose();
            }
        }
    }

    public override bool CanExchangeNames => !_hasFailedToExchange;

    public override OpenFile OpenSibling(ReplacedFile replaced, string name)
    {
        int descriptor = NativeMethods.OpenAt(replaced.DirectoryHandle!, name, NativeMethods.OpenReadWrite | NativeMethods.OpenCloseOnExec, 0);
        string path = Path.Combine(replaced.Directory, name);
        return descriptor >= 0 ? new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), path) : throw NativeMethods.CreateException("Opening", path);
    }

    public override void DeleteSibling(ReplacedFile replaced, string name) => DeleteFile(replaced.DirectoryHandle!, replaced.Directory, name);

    public override void ExchangeSiblings(ReplacedFile replaced, string first, string second)
    {
        if (NativeMethods.RenameAt2(replaced.DirectoryHandle!, first, replaced.DirectoryHandle!, second, NativeMethods.RenameExchangeFlag) != 0)
        {
            throw NativeMethods.CreateException($"Exchanging '{first}' with '{second}' in", replaced.Directory);
        }
    }

    private static void DeleteFile(SafeFileHandle directory, string path, string name)
    {
        if (NativeMethods.UnlinkAt(directory, name, 0) != 0 && !IsLastErrorNotFound())
        {
            throw NativeMethods.CreateException($"Deleting '{name}' in", path);
        }
    }

    /// <summary>Returns whether the directory is the one that the replacement is meant for.</summary>
    private static bool IsGuarded(SafeFileHandle directory, in FileReplacement replacement)
    {
        int descriptor = NativeMethods.OpenAt(directory, replacement.GuardName, NativeMethods.OpenCloseOnExec, 0);
        if (descriptor < 0)
        {
            return IsLastErrorNotFound() ? false : throw NativeMethods.CreateException($"Opening '{replacement.GuardName}' in", replacement.Directory);
        }

        Span<byte> prefix = stackalloc byte[FileReplacement.GuardPrefixLength];
        using var guard = new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), replacement.GuardName);
        return replacement.GuardText is null || replacement.IsGuarded(prefix[..guard.Read(prefix, 0)]);
    }

    private ReplacedFile? ReplaceFile(SafeFileHandle directory, in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        string path = replacement.Directory;
        if (!IsGuarded(directory, replacement))
        {
            return null;
        }

        if (replacement.ObsoleteName is { } obsolete)
        {
            DeleteFile(directory, path, obsolete);
        }

        if (TryCreateTemporary(directory, replacement) is not { } file)
        {
            return null;
        }

        ReplacedFile? replaced = null;
        try
        {
            RandomAccess.Write(file.Handle, content, 0);
            if (replacement.Mode != FileReplacementMode.Unsynced)
            {
                MarkNameUnsynced(file);
            }

            return replaced = Rename(directory, replacement, file);
        }
        finally
        {
            if (replaced is null)
            {
                // On a full disk, a partly written file would occupy the space that the next attempt needs.
                _ = NativeMethods.UnlinkAt(directory, replacement.TemporaryName, 0);
                file.Dispose();
            }
        }
    }

    public override void ExchangeFiles(string first, string second)
    {
        if (NativeMethods.RenameAt2(NativeMethods.AtCurrentDirectory, first, NativeMethods.AtCurrentDirectory, second, NativeMethods.RenameExchangeFlag) != 0)
        {
            throw NativeMethods.CreateException("Exchanging a file with", second);
        }
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

    /// <summary>
    /// Creates the temporary file, or returns null if the directory was deleted. A file that a crash left behind is deleted first: a new file is never the
    /// one that an earlier reader has seen.
    /// </summary>
    private static OpenFile? TryCreateTemporary(SafeFileHandle directory, in FileReplacement replacement)
    {
        const int MaxAttempts = 3;
        for (int attempt = 1; ; attempt++)
        {
            int descriptor = NativeMethods.OpenAt(
                directory,
                replacement.TemporaryName,
                NativeMethods.OpenWriteOnly | NativeMethods.OpenCreate | NativeMethods.OpenExclusive | NativeMethods.OpenCloseOnExec,
                NativeMethods.PrivateFileMode);
            if (descriptor >= 0)
            {
                return new OpenFile(new SafeFileHandle(descriptor, ownsHandle: true), replacement.TemporaryPath);
            }

            if (IsLastErrorNotFound())
            {
                return null;
            }

            if (Marshal.GetLastPInvokeError() != NativeMethods.EEXIST || attempt == MaxAttempts)
            {
                throw NativeMethods.CreateException($"Creating '{replacement.TemporaryName}' in", replacement.Directory);
            }

            _ = NativeMethods.UnlinkAt(directory, replacement.TemporaryName, 0);
        }
    }

    /// <summary>Gives a temporary file its name. Returns null if the directory was deleted.</summary>
    private ReplacedFile? Rename(SafeFileHandle directory, in FileReplacement replacement, OpenFile file)
    {
        if (replacement.Mode == FileReplacementMode.Exchange && TryExchange(directory, replacement))
        {
            return new ReplacedFile(file, replacement.Directory, isContentSynced: false, replacement.TemporaryName, directory);
        }

        bool syncFirst = replacement.Mode != FileReplacementMode.Unsynced;
        if (syncFirst)
        {
            Sync(file);
        }

        if (NativeMethods.RenameAt(directory, replacement.TemporaryName, directory, replacement.Name) == 0)
        {
            return new ReplacedFile(file, replacement.Directory, syncFirst, previousName: null, directory);
        }

        // Only a delete removes the file, together with the whole directory.
        return IsLastErrorNotFound() ? null : throw NativeMethods.CreateException($"Renaming to '{replacement.Name}' in", replacement.Directory);
    }

    /// <summary>Exchanges the names of the temporary file and the file to replace. Returns false if the system cannot, or if there is no file to replace.</summary>
    private bool TryExchange(SafeFileHandle directory, in FileReplacement replacement)
    {
        try
        {
            if (NativeMethods.RenameAt2(directory, replacement.TemporaryName, directory, replacement.Name, NativeMethods.RenameExchangeFlag) == 0)
            {
                return true;
            }
        }
        catch (EntryPointNotFoundException)
        {
            _hasFailedToExchange = true;
            return false;
        }

        int error = Marshal.GetLastPInvokeError();
        _hasFailedToExchange |= error == NativeMethods.EINVAL || error == NativeMethods.ENOSYS;
        return error == NativeMethods.ENOENT || _hasFailedToExchange
            ? false
            : throw NativeMethods.CreateException($"Renaming to '{replacement.Name}' in", replacement.Directory, error);
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
