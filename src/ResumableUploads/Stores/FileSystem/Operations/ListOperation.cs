using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.IO.Directories;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Lists uploads in ordinal order of owner and id, and deletes empty directories on the way.</summary>
internal sealed class ListOperation(StoreContext context, ReadOperations read)
{
    private const int MaxSkippedBeforeYield = 256;

    private readonly FileLayer _files = context.Files;
    private readonly ReportedFailures<UploadKey> _reported = new();

    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using IEnumerator<UploadInfo?> entries = Enumerate(query).GetEnumerator();
        while (await context.Scheduler.RunAsync(StoreContext.EnumerationCall, entries, static entries => entries.MoveNext(), cancellationToken))
        {
            if (entries.Current is { } info)
            {
                yield return info;
            }
            else
            {
                // Yields the thread during a long listing without matches.
                await Task.Yield();
            }
        }
    }

    /// <summary>Returns the uploads, and null after a number of uploads that do not match.</summary>
    private IEnumerable<UploadInfo?> Enumerate(UploadQuery query)
    {
        int skipped = 0;
        foreach (string owner in EnumerateOwners(query))
        {
            // The shard is the beginning of the id, so ordering by shard and id is ordering by id.
            string? after = owner == query.StartAfter?.Owner ? query.StartAfter?.Id : null;
            string? firstShard = after is null ? null : StorePaths.GetShardName(after);
            bool isEmpty = true;
            string ownerDirectory = context.Paths.GetOwnerDirectory(owner);

            // A directory that cannot be read must not hide those after it from the sweep.
            Action<string, Exception> onError = query.IncludeUnreadable ? Throw : SkipDirectory;
            foreach (string shard in EnumerateNames(ownerDirectory, firstShard, onError, inclusive: true))
            {
                string shardDirectory = Path.Combine(ownerDirectory, shard);
                bool isEmptyShard = true;
                foreach (string id in EnumerateNames(shardDirectory, shard == firstShard ? after : null, onError))
                {
                    isEmptyShard = isEmpty = false;
                    if (StorePaths.GetShardName(id) == shard && TryGet(new UploadKey(owner, id), query.IncludeUnreadable) is { } info
                        && (query.ExpiredAsOf is not { } time || info.Expires <= time))
                    {
                        skipped = 0;
                        yield return info;
                    }
                    else if (++skipped % MaxSkippedBeforeYield == 0)
                    {
                        yield return null;
                    }
                }

                if (isEmptyShard)
                {
                    _files.DeleteEmptyDirectory(shardDirectory);
                }
            }

            if (isEmpty)
            {
                _files.DeleteEmptyDirectory(ownerDirectory);
            }
        }
    }

    private IEnumerable<string> EnumerateOwners(UploadQuery query)
    {
        string? after = query.StartAfter?.Owner;
        return query.Owner is not { } owner ? EnumerateNames(context.Paths.Uploads, after, Throw, inclusive: true)
            : UploadKey.IsValidPart(owner) && (after is null || string.CompareOrdinal(owner, after) >= 0) ? [owner]
            : [];
    }

    private IEnumerable<string> EnumerateNames(string directory, string? after, Action<string, Exception> onError, bool inclusive = false)
    {
        // The name itself comes first. It does no harm if it does not exist.
        IEnumerable<string> first = inclusive && after is not null ? [after] : [];
        return first.Concat(DirectoryWalker.EnumerateNames(_files, directory, after, e => onError(directory, e))).Where(UploadKey.IsValidPart);
    }

    private static void Throw(string directory, Exception error) => throw StorageErrors.Wrap(error);

    private void SkipDirectory(string directory, Exception error) => Log.DirectorySkipped(context.Logger, error, directory);

    private UploadInfo? TryGet(UploadKey key, bool includeUnreadable)
    {
        try
        {
            UploadInfo? info = read.GetListed(key);
            _reported.Remove(key);
            return info;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            if (_reported.TryAdd(key))
            {
                Log.UploadSkipped(context.Logger, context.Paths.GetUploadDirectory(key), e.Message);
            }

            return includeUnreadable ? DescribeUnreadable(key) : null;
        }
    }

    /// <summary>Returns what is known about an upload without its record.</summary>
    /// <exception cref="UploadStoreException">The directory of the upload cannot be read either.</exception>
    private UploadInfo? DescribeUnreadable(UploadKey key)
    {
        string directory = context.Paths.GetUploadDirectory(key);
        try
        {
            long length = _files.GetFileNames(directory)
                .Where(StorePaths.IsDataFileName)
                .Sum(name => _files.Stat(Path.Join(directory, name))?.Length ?? 0);
            return new UploadInfo
            {
                Key = key,
                Version = "",
                Offset = length,
                Record = new UploadRecord(),
                LastModified = context.Clock.GetUtcNow(),
                IsUnreadable = true,
            };
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            throw StorageErrors.Wrap(e);
        }
    }
}
