using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>
/// What every request asks of the file system, in as few system calls as it takes: the framework makes nine of the four here, and throws
/// for a file that is not there.
/// </summary>
internal static class LinuxFile
{
    /// <summary>Whether kernel and C library have the call that all of this rests on.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && ProbeStatx();

    /// <summary>What the system says of a file now; null when there is none.</summary>
    public static FileStat? Stat(string path)
    {
        if (NativeMethods.Statx(NativeMethods.AtCurrentDirectory, path, NativeMethods.AtStatxForceSync, NativeMethods.StatxBasicStats, out StatxBuffer status) == 0)
        {
            return status.ToFileStat();
        }

        return Marshal.GetLastPInvokeError() is NativeMethods.ENOENT or NativeMethods.ENOTDIR ? null : throw NativeMethods.CreateException("Looking at", path);
    }

    /// <summary><see cref="FileLayer.ReadSnapshot"/>.</summary>
    public static FileSnapshot? ReadSnapshot(string path, int bound)
    {
        SafeFileHandle? handle = UnixFile.TryOpenRead(path);
        if (handle is null)
        {
            return null;
        }

        FileSnapshot? held = null;
        try
        {
            if (NativeMethods.Statx(handle, "", NativeMethods.AtEmptyPath, NativeMethods.StatxBasicStats, out StatxBuffer found) != 0)
            {
                throw NativeMethods.CreateException("Looking at", path);
            }

            return held = found.ToFileStat() is { } status
                ? new FileSnapshot(path, ReadContent(handle, path, (int)Math.Min(status.Length, bound + 1L)), handle, status)
                : null;
        }
        finally
        {
            if (held is null)
            {
                handle.Dispose();
            }
        }
    }

    /// <summary><see cref="FileLayer.ReadPrefix"/>.</summary>
    public static int? ReadPrefix(string path, Span<byte> buffer)
    {
        using SafeFileHandle? handle = UnixFile.TryOpenRead(path);
        return handle is null ? null : ReadFully(handle, path, buffer);
    }

    private static byte[] ReadContent(SafeFileHandle handle, string path, int length)
    {
        byte[] content = new byte[length];
        int count = ReadFully(handle, path, content);
        return count == length ? content : content[..count];
    }

    private static unsafe int ReadFully(SafeFileHandle handle, string path, Span<byte> buffer)
    {
        int count = 0;
        fixed (byte* start = buffer)
        {
            while (count < buffer.Length)
            {
                nint read = NativeMethods.Read(handle, start + count, buffer.Length - count);
                if (read == 0)
                {
                    break;
                }

                if (read > 0)
                {
                    count += (int)read;
                }
                else if (Marshal.GetLastPInvokeError() != NativeMethods.EINTR)
                {
                    throw NativeMethods.CreateException("Reading", path);
                }
            }
        }

        return count;
    }

    private static bool ProbeStatx()
    {
        try
        {
            return NativeMethods.Statx(NativeMethods.AtCurrentDirectory, "/", 0, NativeMethods.StatxBasicStats, out _) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }
}
