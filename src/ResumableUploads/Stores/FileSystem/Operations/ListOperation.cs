using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Walks over the uploads in ordinal order of owner, shard and id. On its way it takes directories away that have nothing in them.</summary>
internal sealed class ListOperation(StoreContext context, ReadOperations read)
{
    private const int MaxSkippedBeforeYield = 256;

    private readonly FileLayer _files = context.Files;

    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int passed = 0;
        foreach (string owner in EnumerateOwners(query))
        {
            // An id sorts as its shard does, which is its beginning.
            string? behind = owner == query.StartAfter?.Owner ? query.StartAfter?.Id : null;
            string? first = behind is null ? null : StorePaths.GetShardName(behind);
            bool isEmpty = true;
            string home = context.Paths.GetOwnerDirectory(owner);
            foreach (string shard in EnumerateNames(home, first, inclusive: true))
            {
                string place = Path.Combine(home, shard);
                bool isEmptyShard = true;
                foreach (string id in EnumerateNames(place, shard == first ? behind : null))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    isEmptyShard = isEmpty = false;
                    if (StorePaths.GetShardName(id) == shard && TryGet(new UploadKey(owner, id)) is { } info
                        && (query.ExpiredAsOf is not { } time || info.Expires <= time))
                    {
                        passed = 0;
                        yield return info;
                    }
                    else if (++passed % MaxSkippedBeforeYield == 0)
                    {
                        // A long listing in which nothing matches does not hold its thread for ever.
                        await Task.Yield();
                    }
                }

                if (isEmptyShard)
                {
                    _files.DeleteEmptyDirectory(place);
                }
            }

            if (isEmpty)
            {
                _files.DeleteEmptyDirectory(home);
            }
        }
    }

    private IEnumerable<string> EnumerateOwners(UploadQuery query)
    {
        string? after = query.StartAfter?.Owner;
        return query.Owner is not { } one ? EnumerateNames(context.Paths.Uploads, after, inclusive: true)
            : UploadKey.IsValidPart(one) && (after is null || string.CompareOrdinal(one, after) >= 0) ? [one]
            : [];
    }

    private IEnumerable<string> EnumerateNames(string directory, string? after, bool inclusive = false)
    {
        // Wherever it stands among the others: nobody minds when it is not there.
        IEnumerable<string> first = inclusive && after is not null ? [after] : [];
        return first.Concat(DirectoryWalker.EnumerateNames(_files, directory, after, static e => throw StorageErrors.Wrap(e))).Where(UploadKey.IsValidPart);
    }

    private UploadInfo? TryGet(UploadKey key)
    {
        try
        {
            return read.GetListed(key);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.UploadSkipped(context.Logger, context.Paths.GetUploadDirectory(key), e.Message);
            return null;
        }
    }
}
