namespace ResumableUploads.Benchmarks;

/// <summary>The directory that all files of a run are in. It is removed at the end.</summary>
internal sealed class WorkPlace : IDisposable
{
    private int _count;

    public WorkPlace(string? parent) =>
        Root = parent is null
            ? Directory.CreateTempSubdirectory("resumable-uploads-benchmark-").FullName
            : Directory.CreateDirectory(Path.Combine(Path.GetFullPath(parent), $"benchmark-{Environment.ProcessId}")).FullName;

    public string Root { get; }

    /// <summary>A new and empty directory.</summary>
    public string NewDirectory(string name) => Directory.CreateDirectory(Path.Combine(Root, $"{++_count}-{name}")).FullName;

    public static void Empty(string directory)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo inner)
            {
                inner.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
