using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>What the system is told early so that it has less to do at the end. Nothing rests on it, so a system that cannot is not told.</summary>
internal static class LinuxDisk
{
    /// <summary>
    /// Finds room on the disk behind the end of a file, whose length stays as it is. A file system in memory is not told: it would clear the room first.
    /// </summary>
    public static void Preallocate(SafeFileHandle file, long offset, long length)
    {
        if (NativeMethods.Is64BitLinux && !IsTmpfs(file))
        {
            _ = NativeMethods.Fallocate(file, NativeMethods.FallocateKeepSize, offset, length);
        }
    }

    /// <summary>Begins to write a part of a file to the disk. An error is told by the next sync: this call looks at none.</summary>
    public static void StartWriteback(SafeFileHandle file, long offset, long length)
    {
        if (NativeMethods.Is64BitLinux)
        {
            _ = NativeMethods.SyncFileRange(file, offset, length, NativeMethods.SyncFileRangeWrite);
        }
    }

    private static unsafe bool IsTmpfs(SafeFileHandle file)
    {
        // Its kind comes first of all that it says.
        long* status = stackalloc long[NativeMethods.StatFsSize / sizeof(long)];
        return NativeMethods.FStatFs(file, status) == 0 && *status == NativeMethods.TmpfsMagic;
    }
}
