using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What the system is told early so that it has less to do at the end. Nothing rests on it, so a system that cannot is not told.</summary>
internal static class DiskHints
{
    /// <summary>
    /// Finds room on the disk behind the end of a file, whose length stays as it is. A file system in memory is not told: it would clear the room first.
    /// </summary>
    public static void Allocate(SafeFileHandle file, long offset, long length)
    {
        if (Native.HasLongOffsets && !IsInMemory(file))
        {
            _ = Native.Allocate(file, Native.KeepSize, offset, length);
        }
    }

    /// <summary>Begins to write a part of a file to the disk. An error is told by the next sync: this call looks at none.</summary>
    public static void StartWriting(SafeFileHandle file, long offset, long length)
    {
        if (Native.HasLongOffsets)
        {
            _ = Native.SyncRange(file, offset, length, Native.StartWriting);
        }
    }

    private static unsafe bool IsInMemory(SafeFileHandle file)
    {
        // Its kind comes first of all that it says.
        long* status = stackalloc long[Native.FileSystemStatusLength / sizeof(long)];
        return Native.FileSystemStatus(file, status) == 0 && *status == Native.InMemory;
    }
}
