using System.Runtime.InteropServices;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>
/// The layer for Windows. It renames files with MoveFileEx, because the framework lets the system copy a file to another volume: without a sync, and with a
/// partial file under the final name.
/// </summary>
internal sealed class WindowsFileLayer : PortableFileLayer
{
    private const int MaxShortPathLength = 247;

    public override void RenameFile(string from, string to) => _ = TryRename(from, to, NativeMethods.MoveFileReplaceExisting);

    public override bool RenameFileNoReplace(string from, string to) => TryRename(from, to, 0);

    /// <summary>Returns a path that the system does not limit to 260 characters.</summary>
    internal static string GetExtendedPath(string path) =>
        path.Length <= MaxShortPathLength || path.StartsWith(@"\\?\", StringComparison.Ordinal) ? path
        : path.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC\" + path[2..]
        : @"\\?\" + path;

    /// <summary>Creates the exception of the framework for an error of Windows. Another volume is reported as on Unix.</summary>
    internal static Exception CreateException(int error, string from, string to)
    {
        string message = $"Renaming '{from}' to '{to}' failed: {Marshal.GetPInvokeErrorMessage(error)}";
        return error switch
        {
            NativeMethods.WindowsNotSameDevice => new IOException(message, NativeMethods.EXDEV),
            NativeMethods.WindowsFileNotFound => new FileNotFoundException(message),
            NativeMethods.WindowsPathNotFound => new DirectoryNotFoundException(message),
            NativeMethods.WindowsAccessDenied => new UnauthorizedAccessException(message),
            _ => new IOException(message, unchecked((int)0x80070000) | error),
        };
    }

    private static bool TryRename(string from, string to, uint flags)
    {
        if (NativeMethods.MoveFileEx(GetExtendedPath(from), GetExtendedPath(to), flags | NativeMethods.MoveFileWriteThrough))
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error is NativeMethods.WindowsFileExists or NativeMethods.WindowsAlreadyExists && flags == 0 ? false : throw CreateException(error, from, to);
    }
}
