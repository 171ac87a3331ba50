using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>A file that has replaced another one. It is durable as soon as it and its directory have been synced.</summary>
/// <param name="file">The new file.</param>
/// <param name="directory">The path of its directory.</param>
/// <param name="isContentSynced">Whether the content is durable already.</param>
/// <param name="previousName">The name of the old file if it still has one; otherwise, null.</param>
/// <param name="directoryHandle">
/// The open directory, or null where the path is sufficient. Another directory may have the same path by now.
/// </param>
internal sealed class ReplacedFile(OpenFile file, string directory, bool isContentSynced, string? previousName, SafeFileHandle? directoryHandle = null) : IDisposable
{
    public OpenFile File => file;

    public string Directory => directory;

    public SafeFileHandle? DirectoryHandle => directoryHandle;

    public bool IsContentSynced => isContentSynced;

    public string? PreviousName => previousName;

    public void Dispose()
    {
        file.Dispose();
        directoryHandle?.Dispose();
    }
}
