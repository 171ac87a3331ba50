using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Walks over the uploads in ordinal order of owner, shard and id, with one directory's names in memory at a time.</summary>
internal sealed class FileList(StoreContext context, FileRead read)
{
    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? afterOwner = query.After?.Owner;
        string? afterId = query.After?.Id;
        IEnumerable<string> owners = query.Owner is { } one
            ? UploadKey.IsValidPart(one) ? [one] : []
            : Names(context.Paths.Uploads);
        foreach (string owner in owners)
        {
            int order = afterOwner is null ? 1 : string.CompareOrdinal(owner, afterOwner);
            if (order < 0)
            {
                continue;
            }

            // An id sorts as its shard does, which is its beginning.
            string? behind = order == 0 ? afterId : null;
            foreach (string shard in Names(context.Paths.Owner(owner)))
            {
                if (behind is not null && string.CompareOrdinal(shard, UploadPaths.ShardName(behind)) < 0)
                {
                    continue;
                }

                foreach (string id in Names(Path.Combine(context.Paths.Owner(owner), shard)))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if ((behind is null || string.CompareOrdinal(id, behind) > 0) && UploadPaths.ShardName(id) == shard
                        && TryGet(new UploadKey(owner, id)) is { } info && (query.ExpiredAt is not { } time || info.Expires <= time))
                    {
                        yield return info;
                    }
                }

                // A long listing in which nothing matches does not hold its thread for ever.
                await Task.Yield();
            }
        }
    }

    private List<string> Names(string directory)
    {
        try
        {
            List<string> names = context.Files.DirectoryNames(directory);
            names.RemoveAll(name => !UploadKey.IsValidPart(name));
            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (Exception e) when (StorageErrors.IsMissing(e))
        {
            return [];
        }
        catch (Exception e) when (StorageErrors.IsStorage(e))
        {
            throw StorageErrors.Wrap(e);
        }
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
