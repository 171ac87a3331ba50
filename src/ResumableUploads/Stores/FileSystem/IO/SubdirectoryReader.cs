using System.Buffers;
using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Reads the names of the directories in a directory.</summary>
internal static class SubdirectoryReader
{
    private const int BufferLength = 32 * 1024;

    // An entry: the number of its file and its place, 8 bytes each, its own length, 2, its kind, 1, and its name, which ends with a zero.
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

    private static readonly EnumerationOptions AllEntries = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
    private static readonly bool SupportsGetDents = OperatingSystem.IsLinux() && ProbeGetDents();

    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public static void ReadNames(OrderedNamePage page, string path)
    {
        if (SupportsGetDents)
        {
            ReadNamesWithGetDents(page, path);
            return;
        }

        var found = new FileSystemEnumerable<bool>(path, (ref entry) => page.Add(entry.FileName), AllEntries)
        {
            ShouldIncludePredicate = static (ref entry) => entry.IsDirectory,
        };
        foreach (bool _ in found)
        {
        }
    }

    /// <summary>
    /// A walk over all uploads opens a directory for each of them, and most have a single name in them: there the framework takes longer to make
    /// ready for it than the system takes to answer.
    /// </summary>
    private static void ReadNamesWithGetDents(OrderedNamePage page, string path)
    {
        using SafeFileHandle directory = UnixFile.TryOpenRead(path)
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
                    Span<char> word = text[..count];

                    // No name that the store gives is longer.
                    if (fits && word is not "." and not ".." && IsDirectory((EntryType)rest[TypeOffset], path, word))
                    {
                        page.Add(word);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsDirectory(EntryType kind, string path, ReadOnlySpan<char> name) =>
        kind == EntryType.Directory || (kind is EntryType.Unknown or EntryType.SymbolicLink && Directory.Exists(Path.Join(path, name)));

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
            ReadNamesWithGetDents(new OrderedNamePage(null, 1), "/");
            return true;
        }
        catch (Exception e) when (e is EntryPointNotFoundException || StorageErrors.IsStorageError(e))
        {
            return false;
        }
    }
}
