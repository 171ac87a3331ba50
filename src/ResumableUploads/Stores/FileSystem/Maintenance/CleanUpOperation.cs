using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Maintenance;

/// <summary>Removes what crashes left behind: creation directories and partly deleted uploads.</summary>
internal sealed class CleanUpOperation(StoreContext context)
{
    /// <summary>The age from which on a creation directory belongs to a crashed process.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    private readonly FileLayer _files = context.Files;

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        var throttle = new BackgroundThrottle(context.TimeProvider);
        DateTime abandonedBefore = context.TimeProvider.GetUtcNow().UtcDateTime - AbandonedAfter;
        foreach (string path in EnumerateDirectories(context.Paths.Temp).SelectMany(EnumerateCreationDirectories))
        {
            if (_files.GetDirectoryLastWriteTime(path) <= abandonedBefore)
            {
                DeleteDirectory(path);
            }

            await throttle.PauseIfNeededAsync(cancellationToken);
        }

        foreach (string path in EnumerateDirectories(context.Paths.Trash))
        {
            DeleteDirectory(path);
            await throttle.PauseIfNeededAsync(cancellationToken);
        }
    }

    private IEnumerable<string> EnumerateDirectories(string directory) => DirectoryWalker
        .EnumerateNames(_files, directory, after: null, e => Log.DeleteFailed(context.Logger, directory, e))
        .Select(name => Path.Combine(directory, name));

    private IEnumerable<string> EnumerateCreationDirectories(string path) =>
        StorePaths.IsCreationParent(Path.GetFileName(path)) ? EnumerateDirectories(path) : [path];

    private void DeleteDirectory(string path)
    {
        try
        {
            _files.DeleteDirectory(path, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            if (_files.DirectoryExists(path))
            {
                Log.DeleteFailed(context.Logger, path, e);
            }
        }
    }
}
