using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>A file that was read whole. As long as it is held open no other file gets its number.</summary>
internal sealed class FileSnapshot(string path, byte[] content, SafeFileHandle? handle = null, FileStat? status = null) : IDisposable
{
    public string Path { get; } = path;

    public byte[] Content { get; } = content;

    /// <summary>What the system said of it, or null where it was not asked.</summary>
    public FileStat? Status { get; } = status;

    public void Dispose() => handle?.Dispose();
}
