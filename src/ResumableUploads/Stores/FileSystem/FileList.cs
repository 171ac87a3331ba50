using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Walks over the uploads in ordinal order of owner, shard and id. On its way it takes directories away that have nothing in them.</summary>
internal sealed class FileList(StoreContext context, FileRead read)
{
    private const int PassedAtOnce = 256;

    private readonly FileLayer _files = context.Files;

    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int passed = 0;
        foreach (string owner in Owners(query))
        {
            // An id sorts as its shard does, which is its beginning.
            string? behind = owner == query.After?.Owner ? query.After?.Id : null;
            string? first = behind is null ? null : UploadPaths.ShardName(behind);
            bool isEmpty = true;
            string home = context.Paths.Owner(owner);
            foreach (string shard in Names(home, first, inclusive: true))
            {
                string place = Path.Combine(home, shard);
                bool isEmptyShard = true;
                foreach (string id in Names(place, shard == first ? behind : null))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    isEmptyShard = isEmpty = false;
                    if (UploadPaths.ShardName(id) == shard && TryGet(new UploadKey(owner, id)) is { } info
                        && (query.ExpiredAt is not { } time || info.Expires <= time))
                    {
                        passed = 0;
                        yield return info;
                    }
                    else if (++passed % PassedAtOnce == 0)
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

    private IEnumerable<string> Owners(UploadQuery query)
    {
        string? after = query.After?.Owner;
        return query.Owner is not { } one ? Names(context.Paths.Uploads, after, inclusive: true)
            : UploadKey.IsValidPart(one) && (after is null || string.CompareOrdinal(one, after) >= 0) ? [one]
            : [];
    }

    private IEnumerable<string> Names(string directory, string? after, bool inclusive = false)
    {
        // Wherever it stands among the others: nobody minds when it is not there.
        IEnumerable<string> first = inclusive && after is not null ? [after] : [];
        return first.Concat(DirectoryWalk.Names(_files, directory, after, static e => throw StorageErrors.Wrap(e))).Where(UploadKey.IsValidPart);
    }

    private UploadInfo? TryGet(UploadKey key)
    {
        try
        {
            return read.GetSeen(key);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.Skipped(context.Logger, context.Paths.Upload(key), e.Message);
            return null;
        }
    }
}
