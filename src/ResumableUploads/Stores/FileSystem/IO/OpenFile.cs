using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>An open file and the path with which it was opened.</summary>
internal sealed class OpenFile(SafeFileHandle handle, string path) : IDisposable
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

    public void Dispose() => Handle.Dispose();
}
