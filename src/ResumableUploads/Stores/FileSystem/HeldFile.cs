using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>A file that was read whole. As long as it is held open no other file gets its number.</summary>
internal sealed class HeldFile(string path, byte[] content, SafeFileHandle? handle = null, FileStatus? status = null) : IDisposable
{
    public string Path { get; } = path;

    public byte[] Content { get; } = content;

    /// <summary>What the system said of it, or null where it was not asked.</summary>
    public FileStatus? Status { get; } = status;

    public void Dispose() => handle?.Dispose();
}
