using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Benchmarks;

/// <summary>The directory that all files of a run are in. It is removed at the end.</summary>
internal sealed class WorkDirectory : IDisposable
{
    private const string Tmpfs = "/dev/shm";
    private int _count;
    private string? _tmpfsRoot;

    public WorkDirectory(string? parent) =>
        Root = parent is null
            ? Directory.CreateTempSubdirectory("resumable-uploads-benchmark-").FullName
            : Directory.CreateDirectory(Path.Combine(Path.GetFullPath(parent), $"benchmark-{Environment.ProcessId}")).FullName;

    public string Root { get; }

    public static bool HasTmpfs => Directory.Exists(Tmpfs);

    /// <summary>A new and empty directory.</summary>
    public string CreateSubdirectory(string name, bool onTmpfs = false)
    {
        string parent = onTmpfs ? _tmpfsRoot ??= Path.Combine(Tmpfs, $"resumable-uploads-benchmark-{Environment.ProcessId}") : Root;
        return Directory.CreateDirectory(Path.Combine(parent, $"{++_count}-{name}")).FullName;
    }

    /// <summary>
    /// Takes the bytes of all files away. The files stay until the end: an ext4 without a journal gives no new file the inode of one that was deleted in the
    /// last seconds, and looks at each of those anew for each file that is made. A run would measure what the round before has deleted.
    /// </summary>
    public static void TruncateFiles(string directory)
    {
        foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            if (new FileInfo(path).Length > 0)
            {
                // A server may still be about to close it.
                using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.SetLength(file, 0);
            }
        }
    }

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        if (_tmpfsRoot is not null)
        {
            Directory.Delete(_tmpfsRoot, recursive: true);
        }
    }
}
