using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>
/// What every request asks of the file system, in as few system calls as it takes: the framework makes nine of the four here, and throws
/// for a file that is not there.
/// </summary>
internal static class LinuxReads
{
    /// <summary>Whether kernel and C library have the call that all of this rests on.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Probe();

    /// <summary>What the system says of a file now; null when there is none.</summary>
    public static FileStatus? Stat(string path)
    {
        if (Native.StatX(Native.CurrentDirectory, path, Native.FreshStatus, Native.BasicStatus, out LinuxStatus status) == 0)
        {
            return status.ToFile();
        }

        return Marshal.GetLastPInvokeError() is Native.NoEntry or Native.NotDirectory ? null : throw Native.Error("Looking at", path);
    }

    /// <summary><see cref="FileLayer.Hold"/>.</summary>
    public static HeldFile? Hold(string path, int bound)
    {
        SafeFileHandle? handle = UnixFiles.OpenRead(path);
        if (handle is null)
        {
            return null;
        }

        HeldFile? held = null;
        try
        {
            if (Native.StatX(handle, "", Native.OfDescriptor, Native.BasicStatus, out LinuxStatus found) != 0)
            {
                throw Native.Error("Looking at", path);
            }

            return held = found.ToFile() is { } status
                ? new HeldFile(path, Read(handle, path, (int)Math.Min(status.Length, bound + 1L)), handle, status)
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

    /// <summary><see cref="FileLayer.ReadStart"/>.</summary>
    public static int? ReadStart(string path, Span<byte> buffer)
    {
        using SafeFileHandle? handle = UnixFiles.OpenRead(path);
        return handle is null ? null : Fill(handle, path, buffer);
    }

    private static byte[] Read(SafeFileHandle handle, string path, int length)
    {
        byte[] content = new byte[length];
        int count = Fill(handle, path, content);
        return count == length ? content : content[..count];
    }

    private static unsafe int Fill(SafeFileHandle handle, string path, Span<byte> buffer)
    {
        int count = 0;
        fixed (byte* start = buffer)
        {
            while (count < buffer.Length)
            {
                nint read = Native.Read(handle, start + count, buffer.Length - count);
                if (read == 0)
                {
                    break;
                }

                if (read > 0)
                {
                    count += (int)read;
                }
                else if (Marshal.GetLastPInvokeError() != Native.Interrupted)
                {
                    throw Native.Error("Reading", path);
                }
            }
        }

        return count;
    }

    private static bool Probe()
    {
        try
        {
            return Native.StatX(Native.CurrentDirectory, "/", 0, Native.BasicStatus, out _) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }
}
