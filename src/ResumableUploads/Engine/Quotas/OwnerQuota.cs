using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// Enforces the limits per owner: unfinished uploads, their bytes, and concurrent appends. The uploads of an owner are counted by
/// listing them on first use and updated with every change. Because other processes change the same store, they are counted again
/// in the background when the count is outdated.
/// </summary>
internal sealed class OwnerQuota(IUploadStore store, EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    private readonly ConcurrentDictionary<string, OwnerUsage> _usageByOwner = new(StringComparer.Ordinal);

    /// <summary>Reserves quota for a new upload that replaces none.</summary>
    public ValueTask<UploadResultKind?> ReserveUploadAsync(UploadKey key, long? length, long? minimumBytes, CancellationToken cancellationToken) =>
        ReserveUploadAsync(key, length, minimumBytes, replaced: null, cancellationToken);

    /// <summary>Reserves quota for a new upload.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="length">The length of the upload, or <see langword="null"/> if it is unknown.</param>
    /// <param name="minimumBytes">
    /// The length of the first body, or <see langword="null"/> if it is unknown. It must fit in the quota, but is not reserved.
    /// </param>
    /// <param name="replaced">The upload that is removed in favor of the new one, so that its share is available, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns><see langword="null"/> if the quota is reserved; otherwise the limit that the upload would exceed.</returns>
    public async ValueTask<UploadResultKind?> ReserveUploadAsync(
        UploadKey key, long? length, long? minimumBytes, UploadInfo? replaced, CancellationToken cancellationToken)
    {
        OwnerUsage usage = await GetCountedUsageAsync(key.Owner, cancellationToken);
        OwnerUsage.Totals share = replaced is { State: UploadState.Receiving } ? new(1, replaced.Length ?? replaced.Offset) : default;
        lock (usage)
        {
            if (usage.Current.Uploads - share.Uploads >= settings.MaxUploadsPerOwner)
            {
                return UploadResultKind.TooManyUploads;
            }

            if ((length ?? minimumBytes ?? 0) > settings.MaxBytesPerOwner - usage.Current.Bytes + share.Bytes)
            {
                return UploadResultKind.OwnerQuotaExceeded;
            }

            usage.Current = usage.Current.Add(1, length ?? 0);
            return null;
        }
    }

    /// <summary>Returns how many more bytes the owner may store.</summary>
    public async ValueTask<long> GetAvailableBytesAsync(string owner, CancellationToken cancellationToken)
    {
        OwnerUsage usage = await GetCountedUsageAsync(owner, cancellationToken);
        lock (usage)
        {
            return Math.Max(0, settings.MaxBytesPerOwner - usage.Current.Bytes);
        }
    }

    /// <summary>Reserves bytes for an upload whose length becomes known after its creation.</summary>
    public async ValueTask<bool> TryReserveBytesAsync(string owner, long bytes, CancellationToken cancellationToken)
    {
        OwnerUsage usage = await GetCountedUsageAsync(owner, cancellationToken);
        lock (usage)
        {
            if (bytes > settings.MaxBytesPerOwner - usage.Current.Bytes)
            {
                return false;
            }

            usage.Current = usage.Current.Add(0, bytes);
            return true;
        }
    }

    /// <summary>Adds bytes that were stored for an upload of unknown length, or subtracts reserved bytes that are not used.</summary>
    public void AdjustBytes(string owner, long bytes)
    {
        if (bytes != 0 && _usageByOwner.TryGetValue(owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.Current = usage.Current.Add(0, bytes);
            }
        }
    }

    /// <summary>Releases the quota of an unfinished upload that was completed or removed.</summary>
    public void ReleaseUpload(string owner, long bytes)
    {
        if (_usageByOwner.TryGetValue(owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.Current = usage.Current.Add(-1, -bytes);
            }
        }
    }

    /// <summary>Reserves one of the concurrent appends of the owner, if the limit allows it.</summary>
    public bool TryReserveAppend(string owner)
    {
        while (true)
        {
            OwnerUsage usage = _usageByOwner.GetOrAdd(owner, static _ => new OwnerUsage());
            lock (usage)
            {
                if (usage.IsRemoved)
                {
                    continue;
                }

                if (usage.ActiveAppends >= settings.MaxAppendsPerOwner)
                {
                    return false;
                }

                usage.ActiveAppends++;
                return true;
            }
        }
    }

    public void ReleaseAppend(string owner)
    {
        if (_usageByOwner.TryGetValue(owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.ActiveAppends--;
            }
        }
    }

    /// <summary>Removes owners without running appends and with an outdated count, so that the table does not grow indefinitely.</summary>
    public void RemoveIdleOwners()
    {
        foreach ((string owner, OwnerUsage usage) in _usageByOwner)
        {
            lock (usage)
            {
                if (usage.ActiveAppends == 0 && usage.CountTask is null && !usage.IsFresh(time))
                {
                    usage.IsRemoved = true;
                    _usageByOwner.TryRemove(owner, out _);
                }
            }
        }
    }

    private async ValueTask<OwnerUsage> GetCountedUsageAsync(string owner, CancellationToken cancellationToken)
    {
        while (true)
        {
            OwnerUsage usage = _usageByOwner.GetOrAdd(owner, static _ => new OwnerUsage());
            Task? runningCount;
            TaskCompletionSource? ownCount = null;
            lock (usage)
            {
                if (usage.IsRemoved)
                {
                    continue;
                }

                if (usage.IsCounted)
                {
                    if (!usage.IsFresh(time))
                    {
                        // The old count is used until then: counting takes long for an owner with many uploads.
                        usage.CountTask ??= StartRecount(owner, usage, usage.Current);
                    }

                    return usage;
                }

                runningCount = usage.CountTask;
                if (runningCount is null)
                {
                    ownCount = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    usage.CountTask = ownCount.Task;
                }
            }

            if (runningCount is not null)
            {
                // A reservation is only possible against the first count.
                await runningCount.WaitAsync(cancellationToken);
                continue;
            }

            try
            {
                await CountAsync(owner, usage, default, cancellationToken);
            }
            finally
            {
                ownCount!.SetResult();
            }

            return usage;
        }
    }

    private Task StartRecount(string owner, OwnerUsage usage, OwnerUsage.Totals before) =>
        Task.Run(() => RecountAsync(owner, usage, before), CancellationToken.None);

    private async Task RecountAsync(string owner, OwnerUsage usage, OwnerUsage.Totals before)
    {
        try
        {
            await CountAsync(owner, usage, before, stopping);
        }
        catch (Exception e) when (e is UploadStoreException or OperationCanceledException)
        {
            // The old count stays valid; the next request starts another count.
        }
    }

    private async Task CountAsync(string owner, OwnerUsage usage, OwnerUsage.Totals before, CancellationToken cancellationToken)
    {
        var counted = new OwnerUsage.Totals(0, 0);
        bool isListed = false;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken))
            {
                if (info.State == UploadState.Receiving)
                {
                    counted = counted.Add(1, info.Length ?? info.Offset);
                }
            }

            isListed = true;
        }
        finally
        {
            lock (usage)
            {
                usage.CountTask = null;
                if (isListed)
                {
                    // Adds the changes since the count began. Some may have been listed too; the next count corrects that.
                    usage.Current = counted.Add(usage.Current.Uploads - before.Uploads, usage.Current.Bytes - before.Bytes);
                    usage.MarkCounted(time);
                }
            }
        }
    }
}
