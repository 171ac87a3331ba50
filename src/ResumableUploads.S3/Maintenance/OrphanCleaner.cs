using System.Collections.Concurrent;
using System.Globalization;
using Amazon.S3.Model;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Changes;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Maintenance;

/// <summary>
/// Removes objects that no upload has and no writer can name any more. A writer creates the state of its upload before any other object, and names only objects of its
/// own epoch. So an object whose upload no longer exists, or whose epoch has ended without naming it, is never named again. The state is always read after the listing.
/// </summary>
internal sealed class OrphanCleaner(StoreContext context, StateReader reader, ChangeOperations changes)
{
    /// <summary>The parts of the name of a use: the key of the other upload, its nonce, and the epoch of its writer.</summary>
    private const int UseParts = 4;

    private readonly ConcurrentDictionary<UploadKey, bool> _unfinished = new();
    private long? _lastSearch;

    /// <summary>Remembers an upload whose creation or deletion has not ended.</summary>
    public void AddUnfinished(UploadKey key) => _unfinished[key] = true;

    public async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        foreach (UploadKey key in _unfinished.Keys)
        {
            StoredState? state = await context.States.FindAsync(key, cancellationToken);
            await FinishAsync(state, cancellationToken);
            if (state?.Document.Phase is not (UploadPhase.Creating or UploadPhase.Removing))
            {
                _unfinished.TryRemove(key, out _);
            }
        }

        if (_lastSearch is { } last && context.Time.GetElapsedTime(last) < context.Options.CleanUpInterval)
        {
            return;
        }

        _lastSearch = context.Time.GetTimestamp();
        await SearchAsync(cancellationToken);
    }

    /// <summary>Returns an upload whose state cannot be understood, with the size of its objects.</summary>
    public async Task<UploadInfo> MeasureUnreadableAsync(UploadKey key, CancellationToken cancellationToken)
    {
        long size = 0;
        await foreach (IReadOnlyList<S3Object> page in context.Storage.ListAsync(context.Keys.GetFolder(key.ToString()), null, cancellationToken))
        {
            size += page.Sum(static found => found.Size ?? 0);
        }

        return new UploadInfo { Key = key, Version = "unreadable", Offset = size, Record = new UploadRecord(), LastModified = context.Clock.GetChangeTime(), IsUnreadable = true };
    }

    private async Task FinishAsync(StoredState? state, CancellationToken cancellationToken)
    {
        switch (state?.Document.Phase)
        {
            case UploadPhase.Deleted:
                await changes.RemoveAsync(state, cancellationToken);
                break;
            case UploadPhase.Removing when context.Writers.IsDead(state):
                await changes.RemoveAsync(state, cancellationToken);
                break;
            case UploadPhase.Creating:
                await changes.EndCreationAsync(state, cancellationToken);
                break;
            case UploadPhase.Live when state.Document.Move is not null:
                await reader.FindChangeableAsync(state, cancellationToken);
                break;
        }
    }

    private async Task SearchAsync(CancellationToken cancellationToken)
    {
        string? folder = null;
        List<string> names = [];
        await foreach (IReadOnlyList<S3Object> page in context.Storage.ListAsync(context.Keys.Data, null, cancellationToken))
        {
            foreach (S3Object found in page)
            {
                if (context.Keys.ParseObject(found.Key) is not { } item)
                {
                    continue;
                }

                if (item.Folder != folder)
                {
                    await CleanFolderAsync(folder, names, cancellationToken);
                    (folder, names) = (item.Folder, []);
                }

                names.Add(item.Name);
            }
        }

        await CleanFolderAsync(folder, names, cancellationToken);
    }

    private async Task CleanFolderAsync(string? folder, List<string> names, CancellationToken cancellationToken)
    {
        if (folder is null || ObjectKeys.Parse(folder[..folder.LastIndexOf('/')]) is not { } key)
        {
            return;
        }

        try
        {
            if (await FindOrphansAsync(folder, key, names, cancellationToken) is { Count: > 0 } orphans)
            {
                await context.Storage.DeleteAsync([.. orphans.Select(name => context.Keys.GetObject(folder, name))], cancellationToken);
                Log.OrphansDeleted(context.Logger, orphans.Count, folder);
            }
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Corrupt)
        {
            // Keeps everything that an unreadable state may name.
            Log.UploadSkipped(context.Logger, key, e);
        }
    }

    private async Task<List<string>> FindOrphansAsync(string folder, UploadKey key, List<string> names, CancellationToken cancellationToken)
    {
        StoredState? own = await context.States.FindAsync(key, cancellationToken);
        if (own is { Document.Phase: not UploadPhase.Live })
        {
            await FinishAsync(own, cancellationToken);
        }

        List<UploadDocument> users = own?.Document is { Phase: UploadPhase.Live or UploadPhase.Creating } document && document.Folder == folder ? [document] : [];
        if (users.Count > 0 && GetOrphans(folder, names, users).Count == 0)
        {
            return [];
        }

        // Uses may have been added since the folder was listed.
        string uses = context.Keys.GetUses(folder);
        await foreach (IReadOnlyList<S3Object> page in context.Storage.ListAsync(uses, null, cancellationToken))
        {
            foreach (string[] use in page.Select(found => found.Key[uses.Length..].Split('/')).Where(static use => use.Length == UseParts))
            {
                UploadDocument? user = ObjectKeys.Parse($"{use[0]}/{use[1]}") is { } userKey
                    ? (await context.States.FindAsync(userKey, cancellationToken))?.Document
                    : null;
                if (user is { Phase: UploadPhase.Live or UploadPhase.Creating })
                {
                    // A writer that has announced a use may still name any segment.
                    if (user.Nonce == use[2] && user.HasWriter && use[3] == user.Epoch.ToString(CultureInfo.InvariantCulture))
                    {
                        return [];
                    }

                    users.Add(user);
                }
            }
        }

        return GetOrphans(folder, names, users);
    }

    private static List<string> GetOrphans(string folder, List<string> names, List<UploadDocument> users)
    {
        HashSet<string> named = [];
        foreach (UploadDocument user in users)
        {
            named.UnionWith(user.Segments.Where(run => (run.Folder ?? user.Folder) == folder).SelectMany(static run => run.GetNames()));
        }

        UploadDocument? owner = users.FirstOrDefault(user => user.Folder == folder);
        return [.. names.Where(name => !named.Contains(name)
            && (users.Count == 0 || !name.StartsWith(ObjectKeys.UsePrefix, StringComparison.Ordinal))
            && (owner is null || !CanBeNamed(owner, name)))];
    }

    /// <summary>Returns whether the upload has an object apart from its segments, or a write can still name it.</summary>
    private static bool CanBeNamed(UploadDocument owner, string name)
    {
        if (SegmentRun.ParseEpoch(name) is { } epoch)
        {
            return epoch > owner.Epoch || (epoch == owner.Epoch && owner.HasWriter);
        }

        if (name.StartsWith(ChangeOperations.ResponsePrefix, StringComparison.Ordinal))
        {
            return name == owner.ResponseObject
                || (long.TryParse(name.AsSpan(ChangeOperations.ResponsePrefix.Length, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long generation)
                    && generation >= owner.Generation);
        }

        return true;
    }
}
