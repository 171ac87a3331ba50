using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// The parts of concatenations. The store, and not the memory of a process, decides whether a part is still needed: a concatenation may have been
/// created by another process or before a restart.
/// </summary>
/// <remarks>
/// A concatenation is created before it references its parts, and a part is removed only if its version is the one from before the store was searched
/// for concatenations. The search therefore finds the concatenation, or the removal fails because of the reference, or the reference fails because the part
/// is removed. A part that is still receiving needs no reference: it has to be changed before anyone can remove it.
/// </remarks>
internal sealed class ConcatenationParts(EngineContext context, UploadRemover remover)
{
    private const int MaxRemovalAttempts = 5;

    /// <summary>Returns the keys of the parts. They have the owner of the concatenation, so that a client cannot name the uploads of other owners.</summary>
    public static UploadKey[] GetKeys(UploadKey key, ConcatenationInfo concatenation) => [.. concatenation.PartIds!.Select(id => new UploadKey(key.Owner, id))];

    /// <summary>Returns a part, or null if it does not exist, has expired or is not a part.</summary>
    public async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        await context.Store.GetAsync(key, cancellationToken) is { State: UploadState.Receiving } info
        && !context.RecordPolicy.IsExpired(info) && EngineRecord.From(info).Concatenation is { IsPart: true }
            ? info
            : null;

    /// <summary>References the parts of a concatenation that was just created.</summary>
    /// <returns>False if a part does not exist.</returns>
    public async ValueTask<bool> TryReferenceAsync(UploadKey[] keys, UploadInfo concatenation, CancellationToken cancellationToken)
    {
        foreach (UploadKey key in keys.Distinct())
        {
            if (await GetAsync(key, cancellationToken) is not { } part
                || (part.Offset == part.Length
                    && await context.RecordUpdater.UpdateAsync(part, current => AddReference(current, concatenation.Record), cancellationToken) is null))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Extends the lifetime of parts, so that none of them expires while their concatenation can still be completed.</summary>
    /// <param name="parts">The parts, which are replaced by the updated ones. An element is null if the part is not needed any more.</param>
    /// <param name="concatenation">The concatenation.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask ExtendAsync(UploadInfo?[] parts, UploadInfo concatenation, CancellationToken cancellationToken)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i] is { } part && context.RecordPolicy.ExtendPart(part, concatenation.Record) is not null)
            {
                // If the part was removed meanwhile, its copy reports that.
                parts[i] = await context.RecordUpdater.UpdateAsync(
                    part, current => context.RecordPolicy.ExtendPart(current, concatenation.Record), cancellationToken) ?? part;
            }
        }
    }

    /// <summary>Removes the parts of a concatenation that no other concatenation needs. The last one that needs a part removes it.</summary>
    /// <param name="concatenation">The concatenation, which has all its bytes.</param>
    /// <param name="keys">Its parts.</param>
    /// <returns>False if the removal must be tried again.</returns>
    public async ValueTask<bool> RemoveUnneededAsync(UploadKey concatenation, UploadKey[] keys)
    {
        try
        {
            List<UploadKey> remaining = [.. keys.Distinct()];
            for (int i = 0; i < MaxRemovalAttempts && await FindAsync(remaining) is { Count: > 0 } found; i++)
            {
                HashSet<UploadKey> needed = await FindNeededAsync(concatenation);
                found.RemoveAll(part => needed.Contains(part.Key));
                remaining = [];
                foreach (UploadInfo part in found)
                {
                    if (!await remover.RemoveAsync(part, ignoreVersion: false, context.Stopping))
                    {
                        remaining.Add(part.Key);
                    }
                }
            }

            return remaining.Count == 0;
        }
        catch (Exception e)
        {
            // The concatenation has its bytes, and its handler may be running. The next sweep tries again.
            Log.PartsNotRemoved(context.Logger, e, concatenation);
            return false;
        }
    }

    private UploadRecord AddReference(UploadInfo part, UploadRecord concatenation)
    {
        EngineRecord record = EngineRecord.From(part);
        ConcatenationInfo info = record.Concatenation!;
        ReadOnlyMemory<byte> data = (record with { Concatenation = info with { References = (info.References ?? 0) + 1 } }).ToBytes();
        return (context.RecordPolicy.ExtendPart(part, concatenation) ?? part.Record) with { Data = data };
    }

    private async ValueTask<List<UploadInfo>> FindAsync(IEnumerable<UploadKey> keys)
    {
        var found = new List<UploadInfo>();
        foreach (UploadKey key in keys)
        {
            if (await GetAsync(key, context.Stopping) is { } part)
            {
                found.Add(part);
            }
        }

        return found;
    }

    /// <summary>Finds the parts of all waiting concatenations of an owner.</summary>
    /// <exception cref="UploadStoreException">An upload cannot be read, so it may be a concatenation that needs any of the parts.</exception>
    private async ValueTask<HashSet<UploadKey>> FindNeededAsync(UploadKey concatenation)
    {
        HashSet<UploadKey> needed = [];
        await foreach (UploadInfo info in context.Store.ListAsync(new UploadQuery { Owner = concatenation.Owner, IncludeUnreadable = true }, context.Stopping))
        {
            if (info.IsUnreadable)
            {
                throw new UploadStoreException(StoreFailure.Corrupt, $"Upload {info.Key} cannot be read, and may need the parts of upload {concatenation}.");
            }

            if (info.State == UploadState.Receiving && EngineRecord.IsConcatenated(info) && EngineRecord.From(info) is { Concatenation: { } waiting })
            {
                needed.UnionWith(GetKeys(info.Key, waiting));
            }
        }

        return needed;
    }
}
