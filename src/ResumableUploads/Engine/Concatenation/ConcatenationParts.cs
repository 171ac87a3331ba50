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
    public async ValueTask<bool> TryReferenceAsync(UploadKey[] keys, CancellationToken cancellationToken)
    {
        foreach (UploadKey key in keys.Distinct())
        {
            if (await GetAsync(key, cancellationToken) is not { } part
                || (part.Offset == part.Length && await context.RecordUpdater.UpdateAsync(part, AddReference, cancellationToken) is null))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Removes the parts of a concatenation that no other concatenation needs. The last one that needs a part removes it.</summary>
    /// <param name="concatenation">The concatenation, which has all its bytes.</param>
    /// <param name="keys">Its parts.</param>
    public async ValueTask RemoveUnneededAsync(UploadKey concatenation, UploadKey[] keys)
    {
        try
        {
            IEnumerable<UploadKey> remaining = keys.Distinct();
            for (int i = 0; i < MaxRemovalAttempts && await FindAsync(remaining) is { Count: > 0 } found; i++)
            {
                HashSet<UploadKey> needed = await FindNeededAsync(concatenation.Owner);
                found.RemoveAll(part => needed.Contains(part.Key));
                var changed = new List<UploadKey>();
                foreach (UploadInfo part in found)
                {
                    if (!await remover.RemoveAsync(part, ignoreVersion: false, context.Stopping))
                    {
                        changed.Add(part.Key);
                    }
                }

                remaining = changed;
            }
        }
        catch (Exception e) when (e is UploadStoreException or OperationCanceledException)
        {
            // The concatenation has its bytes and continues. The first sweep after a restart tries again.
            Log.PartsNotRemoved(context.Logger, e, concatenation);
        }
    }

    private static UploadRecord? AddReference(UploadInfo part)
    {
        EngineRecord record = EngineRecord.From(part);
        ConcatenationInfo concatenation = record.Concatenation!;
        return part.Record with { Data = (record with { Concatenation = concatenation with { References = (concatenation.References ?? 0) + 1 } }).ToBytes() };
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
    private async ValueTask<HashSet<UploadKey>> FindNeededAsync(string owner)
    {
        HashSet<UploadKey> needed = [];
        await foreach (UploadInfo info in context.Store.ListAsync(new UploadQuery { Owner = owner }, context.Stopping))
        {
            if (info.State == UploadState.Receiving && EngineRecord.IsConcatenated(info) && EngineRecord.From(info) is { Concatenation: { } concatenation })
            {
                needed.UnionWith(GetKeys(info.Key, concatenation));
            }
        }

        return needed;
    }
}
