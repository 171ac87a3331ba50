namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>A file that has replaced another one. It is durable as soon as it and its directory have been synced.</summary>
/// <param name="file">The new file.</param>
/// <param name="isContentSynced">Whether the content is durable already.</param>
/// <param name="previousPath">The path of the old file if it still has a name; otherwise, null.</param>
internal sealed class ReplacedFile(OpenFile file, bool isContentSynced, string? previousPath) : IDisposable
{
    public OpenFile File => file;

    public bool IsContentSynced => isContentSynced;

    public string? PreviousPath => previousPath;

    public void Dispose() => file.Dispose();
}
