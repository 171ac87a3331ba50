using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.Management;

/// <summary>Manages the uploads of all engines of the application.</summary>
internal sealed class UploadManager(SharedUploadServices sharedServices) : IUploadManager
{
    public async Task<UploadPage> ListAsync(UploadListQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckRange(query.PageSize, UploadListQuery.MaxPageSize, nameof(query.PageSize));
        CheckRange(query.MaxScannedUploads, UploadListQuery.MaxScanLimit, nameof(query.MaxScannedUploads));
        if (!PagePosition.TryParse(query.Continuation, out PagePosition position))
        {
            throw new ArgumentException("The continuation is not that of a page of uploads. Start with the first page.", nameof(query));
        }

        var uploads = new List<ManagedUpload>();
        if ((query.Owner is not null && !UploadKey.IsValidPart(query.Owner)) || (query.IdPrefix is not null && !UploadKey.IsValidPart(query.IdPrefix)))
        {
            return new UploadPage(uploads, null);
        }

        ManagedStore[] stores = sharedServices.ManagedStores;
        if (query is { Owner: not null, IdPrefix: not null, Continuation: null })
        {
            List<ManagedUpload> found = await FindInAllStoresAsync(new UploadKey(query.Owner, query.IdPrefix), stores, cancellationToken);
            if (found.Count > 0 && found.Count <= query.PageSize)
            {
                return new UploadPage([.. found.Where(query.Matches)], null);
            }
        }

        int scanned = 0;
        for (; position.Store < stores.Length; position = new PagePosition(position.Store + 1, null))
        {
            ManagedStore store = stores[position.Store];
            var storeQuery = new UploadQuery { Owner = query.Owner, StartAfter = position.After };
            await foreach (UploadInfo info in store.ListAsync(storeQuery, cancellationToken))
            {
                // Only now it is known that there is another upload, so that a full last page has no continuation.
                if (uploads.Count == query.PageSize || scanned == query.MaxScannedUploads)
                {
                    return new UploadPage(uploads, position.ToString());
                }

                scanned++;
                position = position with { After = info.Key };
                if (info.Key.Id.StartsWith(query.IdPrefix ?? "", StringComparison.Ordinal) && store.Describe(info) is { } upload && query.Matches(upload))
                {
                    uploads.Add(upload);
                }
            }
        }

        return new UploadPage(uploads, null);
    }

    public async Task<ManagedUpload?> GetAsync(UploadKey key, string? store, CancellationToken cancellationToken) =>
        await FindAsync(key, store, cancellationToken) is var (managed, info) ? managed.Describe(info) : null;

    public Task<UploadActionStatus> CancelAsync(UploadKey key, UploadActionCondition? condition, CancellationToken cancellationToken) => ActAsync(
        "cancel",
        key,
        condition,
        (managed, info) => RemoveAsync(managed, info, condition, cancellationToken),
        cancellationToken);

    public Task<UploadActionStatus> DiscardAsync(UploadKey key, UploadActionCondition? condition, CancellationToken cancellationToken) => ActAsync(
        "discard",
        key,
        condition,
        async (managed, info) => managed.Describe(info) switch
        {
            null => UploadActionStatus.NotFound,
            _ when condition is { State: not null and not ManagedUploadState.DeadLettered } => UploadActionStatus.InvalidState,
            _ => await RemoveAsync(managed, info, (condition ?? new UploadActionCondition()) with { State = ManagedUploadState.DeadLettered }, cancellationToken),
        },
        cancellationToken);

    public Task<UploadActionStatus> RetryAsync(UploadKey key, UploadActionCondition? condition, CancellationToken cancellationToken) => ActAsync(
        "retry",
        key,
        condition,
        async (managed, found) =>
        {
            UploadEngine engine = managed.GetEngine(found);
            if (Describe(managed, found, condition) is not { } listed)
            {
                return UploadActionStatus.NotFound;
            }

            if (!engine.Inspector.BelongsToThisEngine(found) || (condition?.State is { } state && listed.State != state))
            {
                return UploadActionStatus.InvalidState;
            }

            if (await engine.RetryHandlerAsync(key, listed.Created, cancellationToken))
            {
                return UploadActionStatus.Succeeded;
            }

            ManagedUpload? current = await managed.GetAsync(key, cancellationToken) is { } info ? managed.Describe(info) : null;
            return current?.State switch
            {
                null => UploadActionStatus.NotFound,
                _ when current.Created != listed.Created => UploadActionStatus.NotFound,
                ManagedUploadState.Receiving or ManagedUploadState.Completed => UploadActionStatus.InvalidState,
                _ => UploadActionStatus.Busy,
            };
        },
        cancellationToken);

    public async Task<Stream?> OpenReadAsync(UploadKey key, UploadActionCondition? condition, CancellationToken cancellationToken)
    {
        Stream? content = null;
        await ActAsync(
            "open",
            key,
            condition,
            async (managed, info) =>
            {
                (UploadActionStatus status, content) = await OpenAsync(managed, info, condition, cancellationToken);
                return status;
            },
            cancellationToken);
        return content;
    }

    public Task<UploadStatistics> GetStatisticsAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        UploadActivity activity = sharedServices.Activity;
        return Task.FromResult(new UploadStatistics
        {
            Stores = [.. sharedServices.SweptStores.Select(static store => new UploadStoreStatistics(store.Name, store.Sweeper.Status))],
            ActiveAppends = activity.ActiveAppends,
            RecentPreemptions = activity.Preemptions,
            RecentRefusals = activity.Refusals,
        });
    }

    private static void CheckRange(int value, int max, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, max, name);
    }

    /// <summary>Describes an upload, or returns null if it has expired or is not the one of the condition.</summary>
    private static ManagedUpload? Describe(ManagedStore managed, UploadInfo info, UploadActionCondition? condition) =>
        managed.Describe(info) is { } upload && (condition?.Created is not { } created || upload.Created == created) ? upload : null;

    /// <summary>Returns the uploads with a key. Two stores can have one each.</summary>
    private static async Task<List<ManagedUpload>> FindInAllStoresAsync(UploadKey key, ManagedStore[] stores, CancellationToken cancellationToken)
    {
        var uploads = new List<ManagedUpload>();
        foreach (ManagedStore store in stores)
        {
            if (await store.GetAsync(key, cancellationToken) is { } info && store.Describe(info) is { } upload)
            {
                uploads.Add(upload);
            }
        }

        return uploads;
    }

    /// <summary>Opens the content of an upload. A content that was opened after the upload was replaced by another one with its key is closed again.</summary>
    private static async Task<(UploadActionStatus Status, Stream? Content)> OpenAsync(
        ManagedStore managed, UploadInfo found, UploadActionCondition? condition, CancellationToken cancellationToken)
    {
        if (Describe(managed, found, condition) is not { } listed)
        {
            return (UploadActionStatus.NotFound, null);
        }

        if (listed.State == ManagedUploadState.Receiving || (condition?.State is { } state && listed.State != state))
        {
            return (UploadActionStatus.InvalidState, null);
        }

        if (await managed.OpenReadAsync(found.Key, cancellationToken) is not { } content)
        {
            return (UploadActionStatus.NotFound, null);
        }

        ManagedUpload? opened = null;
        try
        {
            opened = await managed.GetAsync(found.Key, cancellationToken) is { } info ? managed.Describe(info) : null;
        }
        finally
        {
            if (opened?.Created != listed.Created)
            {
                await content.DisposeAsync();
            }
        }

        return opened?.Created == listed.Created ? (UploadActionStatus.Succeeded, content) : (UploadActionStatus.NotFound, null);
    }

    private static async Task<UploadActionStatus> RemoveAsync(
        ManagedStore managed, UploadInfo found, UploadActionCondition? condition, CancellationToken cancellationToken)
    {
        UploadKey key = found.Key;
        bool IsAllowed(UploadInfo info) => condition?.State is not { } state || managed.Describe(info)?.State == state;
        UploadResult result = await managed.GetEngine(found).CancelAsync(
            key, new CancelCondition(Created: condition?.Created) { IsAllowedForOperator = IsAllowed }, cancellationToken);
        return result.Kind switch
        {
            UploadResultKind.Cancelled => result.Offset is null ? UploadActionStatus.NotFound : UploadActionStatus.Succeeded,
            UploadResultKind.Busy or UploadResultKind.HandlerRunning => UploadActionStatus.Busy,
            UploadResultKind.StorageFull => throw CreateException(StoreFailure.Full, key),
            UploadResultKind.StorageFailed => throw CreateException(StoreFailure.Unavailable, key),
            _ => UploadActionStatus.InvalidState,
        };
    }

    private static UploadStoreException CreateException(StoreFailure failure, UploadKey key) =>
        new(failure, $"The store failed while it removed upload {key}. The log has the reason (event 208).");

    private async Task<UploadActionStatus> ActAsync(
        string action, UploadKey key, UploadActionCondition? condition, Func<ManagedStore, UploadInfo, Task<UploadActionStatus>> act, CancellationToken cancellationToken)
    {
        UploadActionStatus? status = null;
        try
        {
            status = await FindAsync(key, condition?.Store, cancellationToken) is var (managed, info)
                ? await act(managed, info)
                : UploadActionStatus.NotFound;
            return status.Value;
        }
        finally
        {
            Log.UploadManaged(sharedServices.Logger, action, ShortKey.Of(key), status?.ToString() ?? "Failed");
        }
    }

    /// <summary>Finds an upload, whether or not it has expired, and the store that has it.</summary>
    private async ValueTask<(ManagedStore Store, UploadInfo Info)?> FindAsync(UploadKey key, string? store, CancellationToken cancellationToken)
    {
        foreach (ManagedStore managed in sharedServices.ManagedStores)
        {
            if ((store is null || managed.Name == store) && await managed.GetAsync(key, cancellationToken) is { } info)
            {
                return (managed, info);
            }
        }

        return null;
    }
}
