using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Walks over the uploads in ordinal order of owner, shard and id.</summary>
internal sealed class FileList(StoreContext context, FileRead read)
{
    private readonly FileLayer _files = context.Files;

    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string owner in Owners(query))
        {
            // An id sorts as its shard does, which is its beginning.
            string? behind = owner == query.After?.Owner ? query.After?.Id : null;
            string? first = behind is null ? null : UploadPaths.ShardName(behind);
            foreach (string shard in Names(context.Paths.Owner(owner), first, inclusive: true))
            {
                foreach (string id in Names(Path.Combine(context.Paths.Owner(owner), shard), shard == first ? behind : null))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (UploadPaths.ShardName(id) == shard && TryGet(new UploadKey(owner, id)) is { } info
                        && (query.ExpiredAt is not { } time || info.Expires <= time))
                    {
                        yield return info;
                    }
                }

                // A long listing in which nothing matches does not hold its thread for ever.
                await Task.Yield();
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
            return read.Get(key);
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            Log.Skipped(context.Logger, context.Paths.Upload(key), e.Message);
            return null;
        }
    }
}
