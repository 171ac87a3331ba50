using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.IO.Directories;

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
        using IEnumerator<string> paths = EnumerateAbandoned().GetEnumerator();
        while (await context.Scheduler.RunAsync(StoreContext.EnumerationCall, (this, paths), static s => s.Item1.DeleteNext(s.paths), cancellationToken))
        {
            await throttle.PauseIfNeededAsync(cancellationToken);
        }
    }

    private bool DeleteNext(IEnumerator<string> paths)
    {
        if (!paths.MoveNext())
        {
            return false;
        }

        DeleteDirectory(paths.Current);
        return true;
    }

    private IEnumerable<string> EnumerateAbandoned()
    {
        DateTime abandonedBefore = context.ExpirationClock.GetUtcNow().UtcDateTime - AbandonedAfter;
        return EnumerateDirectories(context.Paths.Temp)
            .SelectMany(EnumerateCreationDirectories)
            .Where(path => _files.GetDirectoryLastWriteTime(path) <= abandonedBefore)
            .Concat(EnumerateDirectories(context.Paths.Trash));
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
