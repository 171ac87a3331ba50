using System.Runtime.InteropServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Classifies exceptions of the file system. On Unix, HResult is the error number.</summary>
internal static class StorageErrors
{
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int WindowsLockViolation = unchecked((int)0x80070021);
    private const int WindowsWriteProtected = unchecked((int)0x80070013);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsQuotaExceeded = unchecked((int)0x8007050F);

    /// <summary>
    /// Returns whether the exception comes from the file system. If a disk does not respond, the framework concludes that its files are not seekable and
    /// throws <see cref="NotSupportedException"/>.
    /// </summary>
    public static bool IsStorageError(Exception error) => error is IOException or UnauthorizedAccessException or NotSupportedException;

    /// <summary>Returns whether another handle has locked the file (EWOULDBLOCK: 11 on Linux, 35 on macOS).</summary>
    public static bool IsLocked(IOException error) => OperatingSystem.IsWindows()
        ? error.HResult is WindowsSharingViolation or WindowsLockViolation
        : error.HResult == (OperatingSystem.IsMacOS() ? 35 : 11);

    /// <summary>Returns whether the process is not permitted to do it (EPERM, EACCES).</summary>
    public static bool IsAccessDenied(Exception error) => error is UnauthorizedAccessException || (!OperatingSystem.IsWindows() && error.HResult is 1 or 13);

    public static bool IsNotFound(Exception error) =>
        error is FileNotFoundException or DirectoryNotFoundException || error.HResult == NativeMethods.ENOENT;

    /// <summary>Returns whether the disk can be read, but not written.</summary>
    public static bool IsFullOrReadOnly(Exception error) => IsStorageError(error) && Classify(error) is (StoreFailure.Full or StoreFailure.ReadOnly);

    public static StoreFailure Classify(Exception error)
    {
        if (error is UploadStoreException known)
        {
            return known.Failure;
        }

        if (error is UnauthorizedAccessException)
        {
            return StoreFailure.ReadOnly;
        }

        if (OperatingSystem.IsWindows())
        {
            return error.HResult switch
            {
                WindowsDiskFull or WindowsHandleDiskFull or WindowsQuotaExceeded => StoreFailure.Full,
                WindowsWriteProtected => StoreFailure.ReadOnly,
                _ => StoreFailure.Unavailable,
            };
        }

        int number = error.HResult;
        return number is NativeMethods.ENOSPC or NativeMethods.EFBIG || number == NativeMethods.EDQUOT ? StoreFailure.Full
            : number is NativeMethods.EROFS or 1 or 13 ? StoreFailure.ReadOnly
            : StoreFailure.Unavailable;
    }

    /// <summary>Converts the exception to one that a store may throw.</summary>
    public static UploadStoreException Wrap(Exception error, long? durableOffset = null) =>
        error as UploadStoreException
        ?? new UploadStoreException(Classify(error), error is NotSupportedException ? Describe(error) + "." : error.Message, durableOffset, error);

    /// <summary>Returns the message of the system for the error, without a path if possible.</summary>
    public static string Describe(Exception error) =>
        !OperatingSystem.IsWindows() && error.HResult is > 0 and < 200 ? Marshal.GetPInvokeErrorMessage(error.HResult)
        : error is UnauthorizedAccessException ? "Permission denied"
        : error is NotSupportedException ? "The disk does not respond"
        : error.Message;
}
