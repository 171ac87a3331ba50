using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// Enforces the limits per owner: unfinished uploads, bytes in the store, and concurrent appends. If unrelated clients share an owner, the limits apply to
/// each network of clients, and larger ones to all of them together. The uploads of an owner are counted by listing them on first use and updated with every
/// change. Because other processes change the same store, they are counted again in the background when the count is outdated.
/// </summary>
internal sealed class OwnerQuota(IUploadStore store, EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    private readonly ConcurrentDictionary<string, OwnerUsage> _usageByOwner = new(StringComparer.Ordinal);
    private readonly long _maxTotalBytes = settings.MaxBytesPerOwner > long.MaxValue / settings.AnonymousTotalFactor
        ? long.MaxValue
        : settings.MaxBytesPerOwner * settings.AnonymousTotalFactor;

    /// <summary>Reserves quota for a new upload.</summary>
    /// <param name="account">The account of the upload.</param>
    /// <param name="length">The length of the upload, or <see langword="null"/> if it is unknown.</param>
    /// <param name="minimumBytes">
    /// The length of the first body, or <see langword="null"/> if it is unknown. It must fit in the quota, but is not reserved.
    /// </param>
    /// <param name="replaced">The upload that is removed in favor of the new one, so that its share is available, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns><see langword="null"/> if the quota is reserved; otherwise the limit that the upload would exceed.</returns>
    public ValueTask<UploadResultKind?> ReserveUploadAsync(
        QuotaAccount account, long? length, long? minimumBytes, UploadInfo? replaced, CancellationToken cancellationToken) =>
        UseCountedAsync<UploadResultKind?>(
            account.Owner,
            usage =>
            {
                QuotaUsage released = GetReleased(account, replaced);
                if (usage.GetUsage(account.Network).Uploads - released.Uploads >= settings.MaxUploadsPerOwner
                    || usage.Total.Uploads - released.Uploads >= (long)settings.MaxUploadsPerOwner * settings.AnonymousTotalFactor)
                {
                    return UploadResultKind.TooManyUploads;
                }

                if ((length ?? minimumBytes ?? 0) > GetAvailableBytes(usage, account, released))
                {
                    return UploadResultKind.OwnerQuotaExceeded;
                }

                usage.Add(account.Network, new QuotaUsage(1, length ?? 0));
                return null;
            },
            cancellationToken);

    /// <summary>Returns how many more bytes the account may store.</summary>
    public ValueTask<long> GetAvailableBytesAsync(QuotaAccount account, CancellationToken cancellationToken) =>
        UseCountedAsync(account.Owner, usage => GetAvailableBytes(usage, account, released: default), cancellationToken);

    /// <summary>Reserves bytes for an upload whose length becomes known after its creation.</summary>
    public ValueTask<bool> TryReserveBytesAsync(QuotaAccount account, long bytes, CancellationToken cancellationToken) =>
        TryReserveBytesAsync(account, bytes, default, cancellationToken);

    /// <summary>Reserves bytes for the body of an append to an upload of unknown length.</summary>
    /// <param name="account">The account of the upload.</param>
    /// <param name="bodyLength">The length of the body, or null if it is unknown. The reservation then grows with the body.</param>
    /// <param name="replaced">The upload that is removed in favor of the one of the append, so that its share is available, or null.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The reservation, or null if the body exceeds the quota.</returns>
    public async ValueTask<ByteReservation?> ReserveBodyAsync(
        QuotaAccount account, long? bodyLength, UploadInfo? replaced, CancellationToken cancellationToken)
    {
        QuotaUsage released = GetReleased(account, replaced);
        return await TryReserveBytesAsync(account, bodyLength ?? 0, released, cancellationToken)
            ? new ByteReservation(this, account, bodyLength ?? 0, released)
            : null;
    }

    /// <summary>Reserves as many bytes as are available, and returns their number.</summary>
    /// <param name="account">The account of the upload.</param>
    /// <param name="bytes">The maximum number of bytes to reserve.</param>
    /// <param name="released">The share of the upload that is removed in favor of this one.</param>
    public long ReserveUpTo(QuotaAccount account, long bytes, QuotaUsage released) =>
        Use(account.Owner, usage =>
        {
            // The usage of an owner is not removed while an append runs, so it is counted.
            long reserved = usage.IsCounted ? Math.Min(bytes, GetAvailableBytes(usage, account, released)) : bytes;
            usage.Add(account.Network, new QuotaUsage(0, reserved));
            return reserved;
        });

    /// <summary>Adds a change to the usage, which is negative if an upload was removed or a reservation is not used.</summary>
    public void Add(QuotaAccount account, QuotaUsage change)
    {
        if (change != default && _usageByOwner.TryGetValue(account.Owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.Add(account.Network, change);
            }
        }
    }

    /// <summary>Counts the uploads of an owner again before long.</summary>
    public void MarkOutdated(string owner)
    {
        if (_usageByOwner.TryGetValue(owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.MarkOutdated();
            }
        }
    }

    /// <summary>Reserves one of the concurrent appends of the account, if the limits allow it.</summary>
    public bool TryReserveAppend(QuotaAccount account) =>
        Use(account.Owner, usage =>
        {
            if (usage.GetAppends(account.Network) >= settings.MaxAppendsPerOwner
                || usage.TotalAppends >= (long)settings.MaxAppendsPerOwner * settings.AnonymousTotalFactor)
            {
                return false;
            }

            usage.AddAppends(account.Network, 1);
            return true;
        });

    public void ReleaseAppend(QuotaAccount account)
    {
        if (_usageByOwner.TryGetValue(account.Owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.AddAppends(account.Network, -1);
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
                if (usage.TotalAppends == 0 && usage.CountTask is null && !usage.IsFresh(time))
                {
                    usage.IsRemoved = true;
                    _usageByOwner.TryRemove(owner, out _);
                }
            }
        }
    }

    /// <summary>Returns the share of a replaced upload that becomes available to an account.</summary>
    private static QuotaUsage GetReleased(QuotaAccount account, UploadInfo? replaced) =>
        replaced is not null && QuotaAccount.From(replaced) == account ? QuotaUsage.Of(replaced) : default;

    private ValueTask<bool> TryReserveBytesAsync(QuotaAccount account, long bytes, QuotaUsage released, CancellationToken cancellationToken) =>
        UseCountedAsync(
            account.Owner,
            usage =>
            {
                bool isAvailable = bytes <= GetAvailableBytes(usage, account, released);
                if (isAvailable)
                {
                    usage.Add(account.Network, new QuotaUsage(0, bytes));
                }

                return isAvailable;
            },
            cancellationToken);

    private long GetAvailableBytes(OwnerUsage usage, QuotaAccount account, QuotaUsage released)
    {
        long bytes = (usage.GetUsage(account.Network) - released).ClampToZero().Bytes;
        long totalBytes = (usage.Total - released).ClampToZero().Bytes;
        return Math.Max(0, Math.Min(settings.MaxBytesPerOwner - bytes, _maxTotalBytes - totalBytes));
    }

    /// <summary>Runs a function with the locked usage of an owner.</summary>
    private T Use<T>(string owner, Func<OwnerUsage, T> use)
    {
        while (true)
        {
            OwnerUsage usage = _usageByOwner.GetOrAdd(owner, static _ => new OwnerUsage());
            lock (usage)
            {
                if (!usage.IsRemoved)
                {
                    return use(usage);
                }
            }
        }
    }

    /// <summary>Runs a function with the locked usage of an owner, after its uploads were counted.</summary>
    private async ValueTask<T> UseCountedAsync<T>(string owner, Func<OwnerUsage, T> use, CancellationToken cancellationToken)
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
                    if (!usage.IsFresh(time) && usage.CountTask is null)
                    {
                        // The old count is used until then: counting takes long for an owner with many uploads.
                        StartRecount(owner, usage);
                    }

                    return use(usage);
                }

                runningCount = usage.CountTask;
                if (runningCount is null)
                {
                    ownCount = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    usage.StartCount(ownCount.Task);
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
                await CountAsync(owner, usage, cancellationToken);
            }
            finally
            {
                ownCount!.SetResult();
            }
        }
    }

    private void StartRecount(string owner, OwnerUsage usage)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        usage.StartCount(started.Task);
        _ = Task.Run(() => RecountAsync(owner, usage, started), CancellationToken.None);
    }

    private async Task RecountAsync(string owner, OwnerUsage usage, TaskCompletionSource completion)
    {
        try
        {
            await CountAsync(owner, usage, stopping);
        }
        catch (Exception e) when (e is UploadStoreException or OperationCanceledException)
        {
            // The old count stays valid; the next request starts another count.
        }
        finally
        {
            completion.SetResult();
        }
    }

    private async Task CountAsync(string owner, OwnerUsage usage, CancellationToken cancellationToken)
    {
        var counted = new Dictionary<string, QuotaUsage>(StringComparer.Ordinal);
        bool isListed = false;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken))
            {
                if (QuotaUsage.Of(info) is var upload && upload != default)
                {
                    string network = QuotaAccount.From(info).Network;
                    counted[network] = counted.GetValueOrDefault(network) + upload;
                }
            }

            isListed = true;
        }
        finally
        {
            lock (usage)
            {
                usage.EndCount(isListed ? counted : null, time);
            }
        }
    }
}
