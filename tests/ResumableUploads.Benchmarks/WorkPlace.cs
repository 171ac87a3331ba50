namespace ResumableUploads.Benchmarks;

/// <summary>The directory that all files of a run are in. It is removed at the end.</summary>
internal sealed class WorkPlace : IDisposable
{
    private const string Tmpfs = "/dev/shm";
    private int _count;
    private string? _inMemory;

    public WorkPlace(string? parent) =>
        Root = parent is null
            ? Directory.CreateTempSubdirectory("resumable-uploads-benchmark-").FullName
            : Directory.CreateDirectory(Path.Combine(Path.GetFullPath(parent), $"benchmark-{Environment.ProcessId}")).FullName;

    public string Root { get; }

    public static bool HasTmpfs => Directory.Exists(Tmpfs);

    /// <summary>A new and empty directory.</summary>
    public string NewDirectory(string name, bool onTmpfs = false)
    {
        string parent = onTmpfs ? _inMemory ??= Path.Combine(Tmpfs, $"resumable-uploads-benchmark-{Environment.ProcessId}") : Root;
        return Directory.CreateDirectory(Path.Combine(parent, $"{++_count}-{name}")).FullName;
    }

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

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        if (_inMemory is not null)
        {
            Directory.Delete(_inMemory, recursive: true);
        }
    }
}
