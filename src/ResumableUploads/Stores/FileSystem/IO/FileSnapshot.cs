using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>A file that was read completely. While the handle is open, the system gives its inode number to no other file.</summary>
internal sealed class FileSnapshot(string path, byte[] content, SafeFileHandle? handle = null, FileStat? stat = null) : IDisposable
{
    public string Path { get; } = path;

    public byte[] Content { get; } = content;

    /// <summary>The status of the file when it was read, or null if the layer did not get it.</summary>
    public FileStat? Stat { get; } = stat;

    public void Dispose() => handle?.Dispose();
}
