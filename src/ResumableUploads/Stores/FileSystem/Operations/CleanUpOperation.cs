using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Removes what crashes left behind: half-made and half-removed uploads.</summary>
internal sealed class CleanUpOperation(StoreContext context)
{
    /// <summary>A creation that has taken longer than this is not going on any more.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    private readonly FileLayer _files = context.Files;

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        var throttle = new BackgroundThrottle(context.TimeProvider);
        DateTime old = context.TimeProvider.GetUtcNow().UtcDateTime - AbandonedAfter;
        foreach (string path in EnumerateDirectories(context.Paths.Temp).SelectMany(path => StorePaths.IsCreationDirectory(Path.GetFileName(path)) ? EnumerateDirectories(path) : [path]))
        {
            if (_files.GetDirectoryLastWriteTime(path) <= old)
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
