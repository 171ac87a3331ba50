using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>An open file and the path with which it was opened.</summary>
/// <param name="handle">The handle.</param>
/// <param name="path">The path.</param>
/// <param name="isLocked">Whether the file was locked with flock.</param>
internal sealed class OpenFile(SafeFileHandle handle, string path, bool isLocked = false) : IDisposable
{
    public SafeFileHandle Handle { get; } = handle;

    public string Path { get; } = path;

    /// <summary>Fills the buffer from an offset on. Returns the number of bytes read, which is less at the end of the file.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        int count = 0;
        for (int read = -1; read != 0 && count < buffer.Length; count += read)
        {
            read = RandomAccess.Read(Handle, buffer[count..], offset + count);
        }

        return count;
    }

    public void Dispose()
    {
        if (isLocked && !Handle.IsClosed)
        {
            // A process that is being started has a copy of the handle, which would keep the lock.
            _ = NativeMethods.FLock(Handle, NativeMethods.LockRelease);
        }

        Handle.Dispose();
    }
}
