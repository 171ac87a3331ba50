using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Benchmarks;

/// <summary>The directory of all files of a run. It is deleted at the end.</summary>
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

    /// <summary>Creates an empty directory.</summary>
    public string CreateSubdirectory(string name, bool onTmpfs = false)
    {
        string parent = onTmpfs ? _tmpfsRoot ??= Path.Combine(Tmpfs, $"resumable-uploads-benchmark-{Environment.ProcessId}") : Root;
        return Directory.CreateDirectory(Path.Combine(parent, $"{++_count}-{name}")).FullName;
    }

    /// <summary>
    /// Truncates all files. They are deleted only at the end of the run: an ext4 without a journal does not reuse the inode of a recently
    /// deleted file and skips each of them whenever a file is created, so that deletions would slow down the next round.
    /// </summary>
    public static void TruncateFiles(string directory)
    {
        foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            if (new FileInfo(path).Length > 0)
            {
                // The server may not have closed the file yet.
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
