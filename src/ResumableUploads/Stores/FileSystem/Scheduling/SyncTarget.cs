using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>A file whose content, or a directory whose entries are to be made durable.</summary>
internal readonly record struct SyncTarget
{
    public SyncTarget(OpenFile file) => File = file;

    public SyncTarget(string directory) => Directory = directory;

    public OpenFile? File { get; }

    public string? Directory { get; }

    public void Sync(FileLayer files)
    {
        if (File is not null)
        {
            files.Sync(File);
        }
        else if (Directory is not null)
        {
            files.SyncDirectory(Directory);
        }
    }
}
