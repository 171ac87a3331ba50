using System.Runtime.InteropServices;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What the system says of a file, as far as it is needed here.</summary>
/// <param name="Number">The file's number on its device. No two files have the same at a time.</param>
/// <param name="Device">The device that it is on.</param>
/// <param name="Length">How many bytes it has.</param>
/// <param name="Written">When they last changed.</param>
internal readonly record struct FileStatus(ulong Number, ulong Device, long Length, DateTime Written);

/// <summary><c>struct statx</c> of Linux, which is the same on every processor; <c>struct stat</c> is not.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct LinuxStatus
{
    private const ushort KindBits = 0xF000;
    private const ushort DirectoryKind = 0x4000;

    [FieldOffset(28)]
    private readonly ushort _mode;

    [FieldOffset(32)]
    private readonly ulong _number;

    [FieldOffset(40)]
    private readonly ulong _size;

    [FieldOffset(112)]
    private readonly long _writtenSeconds;

    [FieldOffset(120)]
    private readonly uint _writtenNanoseconds;

    [FieldOffset(136)]
    private readonly ulong _device;

    /// <summary>The status of a file; null for a directory.</summary>
    public FileStatus? ToFile() => (_mode & KindBits) == DirectoryKind
        ? null
        : new FileStatus(
            _number,
            _device,
            (long)_size,
            DateTime.UnixEpoch.AddTicks((_writtenSeconds * TimeSpan.TicksPerSecond) + (_writtenNanoseconds / TimeSpan.NanosecondsPerTick)));
}
