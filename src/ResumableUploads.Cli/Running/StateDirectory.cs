using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>The directory of the user in which the states of unfinished uploads are kept.</summary>
internal sealed class StateDirectory
{
    private const UnixFileMode PrivateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(30);
    private static readonly string[] Extensions = [".json", ".tmp", ".lock"];

    private readonly string _locks;

    /// <summary>Creates the directory, if it does not exist.</summary>
    /// <exception cref="UsageException">The directory cannot be created.</exception>
    public StateDirectory(string path)
    {
        Path = path;
        _locks = System.IO.Path.Combine(path, "locks");
        string uploads = System.IO.Path.Combine(path, "uploads");
        string completed = System.IO.Path.Combine(path, "completed");
        try
        {
            foreach (string directory in (ReadOnlySpan<string>)[path, _locks, uploads, completed])
            {
                CreatePrivate(directory);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The directory for the states of uploads cannot be created: {e.Message}", e);
        }

        Uploads = new FileUploadStateStore(uploads);
        Completed = new FileUploadStateStore(completed);
    }

    public string Path { get; }

    /// <summary>Gets the states of unfinished uploads.</summary>
    public IUploadStateStore Uploads { get; }

    /// <summary>Gets the uploads that a run has completed before it was interrupted.</summary>
    public IUploadStateStore Completed { get; }

    /// <summary>Returns the directory of the current user.</summary>
    /// <param name="environment">Returns an environment variable.</param>
    /// <exception cref="UsageException">The user has no directory.</exception>
    public static string GetPath(Func<string, string?> environment)
    {
        // The specification of XDG_STATE_HOME requires that relative paths are ignored.
        if (environment("XDG_STATE_HOME") is { Length: > 0 } state && System.IO.Path.IsPathFullyQualified(state))
        {
            return System.IO.Path.Combine(state, "resup");
        }

        string root = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? System.IO.Path.Combine(home, ".local", "state") : "";
        return root.Length > 0
            ? System.IO.Path.Combine(root, "resup")
            : throw new UsageException("The user has no home directory for the states of uploads. Set XDG_STATE_HOME.");
    }

    /// <summary>Deletes files that no run has written for a month.</summary>
    public void DeleteOldFiles(TimeProvider timeProvider)
    {
        DateTime oldest = timeProvider.GetUtcNow().UtcDateTime - MaxAge;
        try
        {
            foreach (FileInfo file in new DirectoryInfo(Path).EnumerateFiles("*", SearchOption.AllDirectories)
                .Where(file => file.LastWriteTimeUtc < oldest && Extensions.Contains(file.Extension)))
            {
                file.Delete();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process may be deleting the same files.
        }
    }

    /// <summary>Locks an upload for this process. Returns null if another process has the lock.</summary>
    /// <param name="key">The key of the upload.</param>
    public IDisposable? TryLock(string key)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.DeleteOnClose, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new FileStream(System.IO.Path.Combine(_locks, key + ".lock"), options);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void CreatePrivate(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, PrivateDirectory);
        }
    }
}
