using System.Runtime.InteropServices;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>What the system says of a file, as far as it is needed here.</summary>
/// <param name="Inode">The file's number on its device. No two files have the same at a time.</param>
/// <param name="Device">The device that it is on.</param>
/// <param name="Length">How many bytes it has.</param>
/// <param name="LastWriteTime">When they last changed.</param>
internal readonly record struct FileStat(ulong Inode, ulong Device, long Length, DateTime LastWriteTime);

/// <summary><c>struct statx</c> of Linux, which is the same on every processor; <c>struct stat</c> is not.</summary>
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

    /// <summary>The status of a file; null for a directory.</summary>
    public FileStat? ToFileStat() => (_mode & FileTypeMask) == DirectoryType
        ? null
        : new FileStat(
            _inode,
            _device,
            (long)_size,
            DateTime.UnixEpoch.AddTicks((_modifiedSeconds * TimeSpan.TicksPerSecond) + (_modifiedNanoseconds / TimeSpan.NanosecondsPerTick)));
}
