using System.Runtime.InteropServices;

namespace ResumableUploads.Stores.FileSystem.IO.Linux;

/// <summary><c>struct statx</c>, which has the same layout on every processor, unlike <c>struct stat</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct StatxBuffer
{
    private const ushort FileTypeMask = 0xF000;
    private const ushort DirectoryType = 0x4000;

    [FieldOffset(28)]
    private readonly ushort _mode;

    [FieldOffset(32)]
    private readonly ulong _inode;

    [FieldOffset(40)]
    private readonly ulong _size;

    [FieldOffset(112)]
    private readonly long _modifiedSeconds;

    [FieldOffset(120)]
    private readonly uint _modifiedNanoseconds;

    [FieldOffset(136)]
    private readonly ulong _device;

    public bool IsDirectory => (_mode & FileTypeMask) == DirectoryType;

    /// <summary>Returns the status of a file, or null for a directory.</summary>
    public FileStat? ToFileStat() => IsDirectory
        ? null
        : new FileStat(
            (long)_size,
            DateTime.UnixEpoch.AddTicks((_modifiedSeconds * TimeSpan.TicksPerSecond) + (_modifiedNanoseconds / TimeSpan.NanosecondsPerTick)),
            _device,
            _inode);
}
