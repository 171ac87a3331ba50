using System.Runtime.InteropServices;

namespace ResumableUploads.Cli.Files;

/// <summary>Recognizes pipes, sockets and devices. To open a pipe waits for its writer.</summary>
internal static partial class SpecialFile
{
    private const int CurrentDirectory = -100;
    private const uint TypeAndMode = 3;
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;
    private const int Directory = 0x4000;

    /// <summary>Returns whether a path, whose links are followed, is neither a regular file nor a folder. On other systems than Linux, no file is recognized.</summary>
    public static unsafe bool Is(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            StatxBuffer buffer = default;
            return Statx(CurrentDirectory, path, 0, TypeAndMode, &buffer) == 0 && (buffer.Mode & TypeMask) is not (Regular or Directory);
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, StatxBuffer* buffer);

    /// <summary>The part of <c>struct statx</c> that is needed. Its layout is the same on every processor.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(28)]
        public ushort Mode;
    }
}
