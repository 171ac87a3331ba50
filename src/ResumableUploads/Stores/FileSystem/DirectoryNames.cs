using System.Buffers;
using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Reads the names of the directories in a directory.</summary>
internal static class DirectoryNames
{
    private const int BufferLength = 32 * 1024;

    // An entry: the number of its file and its place, 8 bytes each, its own length, 2, its kind, 1, and its name, which ends with a zero.
    private const int LengthAt = 16;
    private const int KindAt = 18;
    private const int NameAt = 19;
    private const int MaxNameLength = 255;

    private enum Kind : byte
    {
        Unknown = 0,
        Directory = 4,
        Link = 10,
    }

    private static readonly EnumerationOptions Plain = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
    private static readonly bool HasCall = OperatingSystem.IsLinux() && Probe();

    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public static void AddTo(FirstNames names, string path)
    {
        if (HasCall)
        {
            AddByCall(names, path);
            return;
        }

        var found = new FileSystemEnumerable<bool>(path, (ref entry) => names.Add(entry.FileName), Plain)
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
    private static void AddByCall(FirstNames names, string path)
    {
        using SafeFileHandle directory = UnixFiles.OpenRead(path)
            ?? throw new DirectoryNotFoundException($"Could not find the directory '{path}'.");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        Span<char> text = stackalloc char[MaxNameLength + 1];
        try
        {
            for (int length = Fill(directory, path, buffer); length > 0; length = Fill(directory, path, buffer))
            {
                for (Span<byte> rest = buffer.AsSpan(0, length); !rest.IsEmpty; rest = rest[MemoryMarshal.Read<ushort>(rest[LengthAt..])..])
                {
                    ReadOnlySpan<byte> name = rest[NameAt..];
                    bool fits = Encoding.UTF8.TryGetChars(name[..name.IndexOf((byte)0)], text, out int count);
                    Span<char> word = text[..count];

                    // No name that the store gives is longer.
                    if (fits && word is not "." and not ".." && IsDirectory((Kind)rest[KindAt], path, word))
                    {
                        names.Add(word);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsDirectory(Kind kind, string path, ReadOnlySpan<char> name) =>
        kind == Kind.Directory || (kind is Kind.Unknown or Kind.Link && Directory.Exists(Path.Join(path, name)));

    private static unsafe int Fill(SafeFileHandle directory, string path, Span<byte> buffer)
    {
        nint length;
        fixed (byte* start = buffer)
        {
            do
            {
                length = Native.GetEntries(directory, start, buffer.Length);
            }
            while (length < 0 && Marshal.GetLastPInvokeError() == Native.Interrupted);
        }

        return length >= 0 ? (int)length
            : Marshal.GetLastPInvokeError() is Native.NoEntry or Native.NotDirectory ? 0
            : throw Native.Error("Reading", path);
    }

    private static bool Probe()
    {
        try
        {
            AddByCall(new FirstNames(null, 1), "/");
            return true;
        }
        catch (Exception e) when (e is EntryPointNotFoundException || StorageErrors.IsStorage(e))
        {
            return false;
        }
    }
}
