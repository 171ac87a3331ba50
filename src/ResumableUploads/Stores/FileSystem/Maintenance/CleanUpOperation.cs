using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.IO.Directories;
using ResumableUploads.Stores.FileSystem.Operations;

namespace ResumableUploads.Stores.FileSystem.Maintenance;

/// <summary>
/// Removes what crashes left behind: creation directories and partly deleted uploads. A creation directory is renamed before it is deleted, because its creation
/// may continue after hours: it either fails, or has a complete directory. An upload that was renamed by mistake gets its name back.
/// </summary>
internal sealed class CleanUpOperation(StoreContext context, DirectorySync directorySync)
{
    /// <summary>The age from which on a creation directory belongs to a crashed process.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    private readonly FileLayer _files = context.Files;

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        var throttle = new BackgroundThrottle(context.TimeProvider);
        using IEnumerator<string> paths = EnumerateCandidates().GetEnumerator();
        while (await context.Scheduler.RunAsync(StoreContext.EnumerationCall, (this, paths), static s => s.Item1.CleanUpNext(s.paths), cancellationToken))
        {
            await throttle.PauseIfNeededAsync(cancellationToken);
        }
    }

    private bool CleanUpNext(IEnumerator<string> paths)
    {
        if (!paths.MoveNext())
        {
            return false;
        }

        CleanUp(paths.Current);
        return true;
    }

    private IEnumerable<string> EnumerateCandidates() => EnumerateDirectories(context.Paths.Temp)
        .SelectMany(EnumerateCreationDirectories)
        .Concat(EnumerateDirectories(context.Paths.Trash));

    private IEnumerable<string> EnumerateDirectories(string directory) => DirectoryWalker
        .EnumerateNames(_files, directory, after: null, e => Log.DeleteFailed(context.Logger, directory, e))
        .Select(name => Path.Combine(directory, name));

    private IEnumerable<string> EnumerateCreationDirectories(string path) =>
        StorePaths.IsCreationParent(Path.GetFileName(path)) ? EnumerateDirectories(path) : [path];

    private void CleanUp(string path)
    {
        try
        {
            if (Path.GetDirectoryName(path) == context.Paths.Trash)
            {
                _files.DeleteDirectory(path, recursive: true);
            }
            else if (DetachedName.Parse(Path.GetFileName(path)) is { } name && IsOtherUpload(path, name))
            {
                directorySync.KeepOtherUpload(name.Key, path);
            }
            else if (IsAbandoned(path))
            {
                string trash = Path.Combine(context.Paths.Trash, NonceGenerator.Next());
                _files.RenameDirectory(path, trash);
                _files.DeleteDirectory(trash, recursive: true);
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // Another process may have deleted it first, or the creation may have ended.
            if (!StorageErrors.IsNotFound(e))
            {
                Log.DeleteFailed(context.Logger, path, e);
            }
        }
    }

    /// <summary>
    /// Returns whether the directory of an upload that was about to be deleted, or to replace another one, contains an upload that was created with its key before
    /// the directory was renamed. The process was killed before it noticed that.
    /// </summary>
    private bool IsOtherUpload(string directory, DetachedName name)
    {
        byte[]? bytes = _files.ReadFile(Path.Combine(directory, StorePaths.RecordFileName), RecordCodec.MaxLength);
        RecordDecodeResult result = bytes is null ? default : RecordCodec.Decode(bytes);
        return result.Record is { } record ? !name.Matches(record)

            // A part of the expected upload may be deleted already.
            : result.NewerFormat is not null || _files.GetFileNames(directory).Exists(file => StorePaths.IsDataFileName(file) && !file.StartsWith(name.Nonce, StringComparison.Ordinal));
    }

    /// <summary>Returns whether an operation has left a directory behind. A deletion and a replacement hold the lock of the upload while its files are in the directory.</summary>
    private bool IsAbandoned(string directory)
    {
        string name = Path.GetFileName(directory);
        string lockName = StorePaths.GetLockFileName(DetachedName.Parse(name)?.Nonce ?? name);
        return _files.GetDirectoryLastWriteTime(directory) <= GetAbandonedTime() && !_files.IsLocked(Path.Combine(directory, lockName));
    }

    private DateTime GetAbandonedTime() => context.Clock.ExpirationClock.GetUtcNow().UtcDateTime - AbandonedAfter;
}
