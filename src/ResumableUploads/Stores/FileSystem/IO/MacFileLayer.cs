using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The layer for macOS, where fsync does not write through the cache of the disk.</summary>
internal sealed class MacFileLayer : UnixFileLayer
{
    /// <summary>Renames in one step, so that a file never has both names.</summary>
    public override bool RenameFileNoReplace(string from, string to)
    {
        if (NativeMethods.RenameX(from, to, NativeMethods.RenameExclusive) == 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error switch
        {
            NativeMethods.EEXIST => false,

            // Not every file system supports the flag.
            NativeMethods.EINVAL or NativeMethods.ENOTSUP => base.RenameFileNoReplace(from, to),
            _ => throw NativeMethods.CreateException("Renaming a file to", to, error),
        };
    }

    protected override int SyncHandle(SafeFileHandle handle, bool dataOnly) => NativeMethods.Fcntl(handle, NativeMethods.FcntlFullFSync);
}
