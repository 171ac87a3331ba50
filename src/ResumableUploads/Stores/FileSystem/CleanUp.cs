using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Removes what crashes left behind: half-made and half-removed uploads.</summary>
internal sealed class CleanUp(StoreContext context)
{
    /// <summary>A creation that has taken longer than this is not going on any more.</summary>
    private static readonly TimeSpan HalfMadeAge = TimeSpan.FromHours(1);

    private readonly FileLayer _files = context.Files;

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        var pace = new Pace(context.Time);
        DateTime old = context.Time.GetUtcNow().UtcDateTime - HalfMadeAge;
        foreach (string path in In(context.Paths.Temp).SelectMany(path => UploadPaths.IsWorkshop(Path.GetFileName(path)) ? In(path) : [path]))
        {
            if (_files.DirectoryWritten(path) <= old)
            {
                Remove(path);
            }

            await pace.RestAsync(cancellationToken);
        }

        foreach (string path in In(context.Paths.Trash))
        {
            Remove(path);
            await pace.RestAsync(cancellationToken);
        }
    }

    private IEnumerable<string> In(string directory) => DirectoryWalk
        .Names(_files, directory, after: null, e => Log.NotRemoved(context.Logger, directory, e))
        .Select(name => Path.Combine(directory, name));

    private void Remove(string path)
    {
        try
        {
            _files.DeleteDirectory(path, recursive: true);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            if (_files.DirectoryExists(path))
            {
                Log.NotRemoved(context.Logger, path, e);
            }
        }
    }
}
