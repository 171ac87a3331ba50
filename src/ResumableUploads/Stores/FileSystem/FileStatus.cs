using System.Runtime.InteropServices;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What Linux says of a file: <c>struct statx</c>, as far as it is needed.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct FileStatus
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

    public bool IsDirectory => (_mode & KindBits) == DirectoryKind;

    public long Length => (long)_size;

    public DateTime Written =>
        DateTime.UnixEpoch.AddTicks((_writtenSeconds * TimeSpan.TicksPerSecond) + (_writtenNanoseconds / TimeSpan.NanosecondsPerTick));

    public bool IsSameFile(in FileStatus other) =>
        _number == other._number
        && _device == other._device
        && _size == other._size
        && _writtenSeconds == other._writtenSeconds
        && _writtenNanoseconds == other._writtenNanoseconds;
}
