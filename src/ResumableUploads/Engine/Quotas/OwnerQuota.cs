using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// How much each owner has unfinished. It is counted by listing the owner when it is first asked for, kept up to date from then on,
/// and counted again after a while, because other processes add to the same store: nobody waits for that.
/// </summary>
internal sealed class OwnerQuota(IUploadStore store, EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    private readonly ConcurrentDictionary<string, OwnerUsage> _usageByOwner = new(StringComparer.Ordinal);

    /// <summary>Reserves quota for a new upload.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="length">Its length, where it is known.</param>
    /// <param name="minimumBytes">How many bytes come at once, where that is known. They are not reserved, but there has to be room for them.</param>
    /// <param name="cancellationToken">Ends the counting.</param>
    /// <returns>Null if the quota is reserved; otherwise the reason why it is not.</returns>
    public async ValueTask<UploadResultKind?> ReserveUploadAsync(UploadKey key, long? length, long? minimumBytes, CancellationToken cancellationToken)
    {
        OwnerUsage usage = await GetCountedUsageAsync(key.Owner, cancellationToken);
        lock (usage)
        {
            if (usage.Current.Uploads >= settings.MaxUploadsPerOwner)
            {
                return UploadResultKind.TooManyUploads;
            }

            if ((length ?? minimumBytes ?? 0) > settings.MaxBytesPerOwner - usage.Current.Bytes)
            {
                return UploadResultKind.OwnerQuotaExceeded;
            }

            usage.Current = usage.Current.Add(1, length ?? 0);
            return null;
        }
    }

    /// <summary>How many bytes the owner may still add.</summary>
    public async ValueTask<long> GetAvailableBytesAsync(string owner, CancellationToken cancellationToken)
    {
        OwnerUsage usage = await GetCountedUsageAsync(owner, cancellationToken);
        lock (usage)
        {
            return Math.Max(0, settings.MaxBytesPerOwner - usage.Current.Bytes);
        }
    }

    /// <summary>Makes room for what an upload needs that gets its length.</summary>
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

    /// <summary>Bytes came for an upload of unknown length.</summary>
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

    /// <summary>An unfinished upload was finished or removed.</summary>
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

    /// <summary>Forgets owners that have nothing going on, so that the table does not grow with everybody who ever came.</summary>
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
            Task? counting;
            TaskCompletionSource? mine = null;
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
                        // The number of before does meanwhile: an owner may have so many uploads that this takes long.
                        usage.CountTask ??= StartRecount(owner, usage, usage.Current);
                    }

                    return usage;
                }

                counting = usage.CountTask;
                if (counting is null)
                {
                    mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    usage.CountTask = mine.Task;
                }
            }

            if (counting is not null)
            {
                // Without the number nobody may be let in: it would not be in the sum.
                await counting.WaitAsync(cancellationToken);
                continue;
            }

            try
            {
                await CountAsync(owner, usage, default, cancellationToken);
            }
            finally
            {
                mine!.SetResult();
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
            // The next who comes tries again.
        }
    }

    private async Task CountAsync(string owner, OwnerUsage usage, OwnerUsage.Totals before, CancellationToken cancellationToken)
    {
        var counted = new OwnerUsage.Totals(0, 0);
        bool isWhole = false;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken))
            {
                if (info.State == UploadState.Receiving)
                {
                    counted = counted.Add(1, info.Length ?? info.Offset);
                }
            }

            isWhole = true;
        }
        finally
        {
            lock (usage)
            {
                usage.CountTask = null;
                if (isWhole)
                {
                    // With what came and went meanwhile. Some of it may have been listed as well, which the next count puts right.
                    usage.Current = counted.Add(usage.Current.Uploads - before.Uploads, usage.Current.Bytes - before.Bytes);
                    usage.MarkCounted(time);
                }
            }
        }
    }
}
