using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ResumableUploads.Stores.FileSystem.IO.Directories;

namespace ResumableUploads.Stores.FileSystem.IO.Linux;

/// <summary>
/// Reads the names of subdirectories with getdents64. A listing of all uploads opens one directory per upload, most of which have one
/// entry; for these the setup in the framework takes longer than the system calls.
/// </summary>
internal static class DirectoryEntryReader
{
    private const int BufferLength = 32 * 1024;

    // The layout of struct linux_dirent64: inode (8 bytes), position (8), length of the entry (2), type (1), name (ends with a zero).
    private const int RecordLengthOffset = 16;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;
    private const int MaxNameLength = 255;

    private enum EntryType : byte
    {
        Unknown = 0,
        Directory = 4,
        SymbolicLink = 10,
    }

    /// <summary>Gets whether the C library has getdents64.</summary>
    public static bool IsSupported { get; } = ProbeGetDents();

    /// <exception cref="DirectoryNotFoundException">The directory does not exist.</exception>
    public static void ReadDirectoryNames(OrderedNamePage page, string path)
    {
        using SafeFileHandle directory = UnixFileLayer.TryOpenRead(path)
            ?? throw new DirectoryNotFoundException($"Could not find the directory '{path}'.");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        Span<char> text = stackalloc char[MaxNameLength + 1];
        try
        {
            for (int length = ReadEntries(directory, path, buffer); length > 0; length = ReadEntries(directory, path, buffer))
            {
                for (Span<byte> rest = buffer.AsSpan(0, length); !rest.IsEmpty; rest = rest[MemoryMarshal.Read<ushort>(rest[RecordLengthOffset..])..])
                {
                    ReadOnlySpan<byte> name = rest[NameOffset..];
                    bool fits = Encoding.UTF8.TryGetChars(name[..name.IndexOf((byte)0)], text, out int count);
                    Span<char> characters = text[..count];

                    // The store creates no names that are longer than the buffer.
                    if (fits && characters is not "." and not ".." && IsDirectory((EntryType)rest[TypeOffset], path, characters))
                    {
                        page.Add(characters);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsDirectory(EntryType type, string path, ReadOnlySpan<char> name) =>
        type == EntryType.Directory || (type is EntryType.Unknown or EntryType.SymbolicLink && Directory.Exists(Path.Join(path, name)));

    private static unsafe int ReadEntries(SafeFileHandle directory, string path, Span<byte> buffer)
    {
        nint length;
        fixed (byte* start = buffer)
        {
            do
            {
                length = NativeMethods.GetDents64(directory, start, buffer.Length);
            }
            while (length < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);
        }

        return length >= 0 ? (int)length
            : Marshal.GetLastPInvokeError() is NativeMethods.ENOENT or NativeMethods.ENOTDIR ? 0
            : throw NativeMethods.CreateException("Reading", path);
    }

    private static bool ProbeGetDents()
    {
        try
        {
            ReadDirectoryNames(new OrderedNamePage(null, 1), "/");
            return true;
        }
        catch (Exception e) when (e is EntryPointNotFoundException || StorageErrors.IsStorageError(e))
        {
            return false;
        }
    }
}
