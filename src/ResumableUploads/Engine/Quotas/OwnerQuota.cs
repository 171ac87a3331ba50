using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// Enforces the limits per owner: unfinished uploads, bytes in the store, and concurrent appends. If unrelated clients share an owner, the limits apply to
/// each network of clients, and larger ones to all of them together. The uploads of an owner are counted by listing them on first use and updated with every
/// change. Because other processes change the same store, they are counted again in the background when the count is outdated.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="usageByOwner">The usage of the owners of uploads in the store.</param>
/// <param name="settings">The limits.</param>
/// <param name="time">The clock.</param>
/// <param name="stopping">The token that is canceled when the server stops.</param>
internal sealed class OwnerQuota(IUploadStore store, OwnerUsageTable usageByOwner, EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    /// <summary>The time that a request waits for the first count of an owner. The count continues without it, for the next request.</summary>
    private static readonly TimeSpan CountWaitTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The time after which a count is given up, because the listing of the store hangs.</summary>
    private static readonly TimeSpan CountTimeout = TimeSpan.FromMinutes(10);

    private readonly OwnerUsageTable _usageByOwner = usageByOwner;
    private readonly long _maxTotalBytes = settings.MaxBytesPerOwner > long.MaxValue / settings.AnonymousTotalFactor
        ? long.MaxValue
        : settings.MaxBytesPerOwner * settings.AnonymousTotalFactor;

    /// <summary>Reserves quota for a new upload.</summary>
    /// <param name="target">The upload.</param>
    /// <param name="length">The length of the upload, or <see langword="null"/> if it is unknown.</param>
    /// <param name="minimumBytes">
    /// The length of the first body, or <see langword="null"/> if it is unknown. It must fit in the quota, but is not reserved.
    /// </param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public ValueTask<ReservationResult> ReserveUploadAsync(QuotaTarget target, long? length, long? minimumBytes, CancellationToken cancellationToken) =>
        ReserveCountedAsync(target, new QuotaUsage(1, length ?? 0), length ?? minimumBytes ?? 0, cancellationToken);

    /// <summary>
    /// Reserves bytes for an upload whose length becomes known after its creation, or for the body of an append to an upload of unknown length.
    /// </summary>
    public ValueTask<ReservationResult> ReserveBytesAsync(QuotaTarget target, long bytes, CancellationToken cancellationToken) =>
        ReserveCountedAsync(target, new QuotaUsage(0, bytes), bytes, cancellationToken);

    /// <summary>Extends a reservation by as many bytes as are available, and returns their number.</summary>
    /// <param name="reservation">The reservation.</param>
    /// <param name="bytes">The maximum number of bytes to reserve.</param>
    /// <param name="released">The share of the upload that is removed in favor of this one.</param>
    public long ReserveUpTo(QuotaReservation reservation, long bytes, QuotaUsage released) =>
        Use(reservation.Target.Account.Owner, (this, reservation, bytes, released), static (usage, s) =>
        {
            long reserved = Math.Min(s.bytes, s.Item1.GetAvailableBytes(usage, s.reservation.Target.Account, s.released));
            usage.ExtendReservation(s.reservation, reserved);
            return reserved;
        });

    /// <summary>Ends a reservation.</summary>
    /// <param name="reservation">The reservation.</param>
    /// <param name="stored">
    /// The usage that is stored, or null to read it from the store. If that fails too, the whole reservation counts until the uploads are counted again.
    /// </param>
    public async ValueTask SettleAsync(QuotaReservation reservation, QuotaUsage? stored)
    {
        try
        {
            stored ??= await GetStoredAsync(reservation.Target);
        }
        finally
        {
            Use(reservation.Target.Account.Owner, (reservation, stored), static (usage, s) =>
            {
                usage.EndReservation(s.reservation, s.stored);
                return true;
            });
        }
    }

    /// <summary>Gets a number that must be passed to <see cref="Release"/> and <see cref="Move"/>, and changes when the uploads are counted.</summary>
    public long GetCountNumber(string owner)
    {
        if (!_usageByOwner.TryGetValue(owner, out OwnerUsage? usage))
        {
            return 0;
        }

        lock (usage)
        {
            return usage.CountNumber;
        }
    }

    /// <summary>Releases the quota of a stored upload that was removed, moved or completed.</summary>
    /// <param name="account">The account of the upload.</param>
    /// <param name="usage">The quota to release.</param>
    /// <param name="countNumber">The result of <see cref="GetCountNumber"/> from before the store was changed.</param>
    public void Release(QuotaAccount account, QuotaUsage usage, long countNumber)
    {
        if (usage != default && _usageByOwner.TryGetValue(account.Owner, out OwnerUsage? owner))
        {
            lock (owner)
            {
                owner.Release(account.Network, usage, countNumber);
            }
        }
    }

    /// <summary>Adds the quota of an upload that was created in the place of another one, which was released.</summary>
    public void Add(QuotaAccount account, QuotaUsage usage) => Use(account.Owner, (account, usage), static (owner, s) =>
    {
        owner.Add(s.account.Network, s.usage);
        return true;
    });

    /// <summary>Ensures that an upload is counted whose key has changed.</summary>
    /// <inheritdoc cref="Release" path="/param"/>
    public void Move(QuotaAccount account, QuotaUsage usage, long countNumber)
    {
        if (_usageByOwner.TryGetValue(account.Owner, out OwnerUsage? owner))
        {
            lock (owner)
            {
                owner.Move(account.Network, usage, countNumber);
            }
        }
    }

    /// <summary>Requests another count of an owner, because a change of the store has an unknown result.</summary>
    public void Invalidate(string owner)
    {
        if (_usageByOwner.TryGetValue(owner, out OwnerUsage? usage))
        {
            lock (usage)
            {
                usage.Invalidate();
            }
        }
    }

    /// <summary>Reserves one of the concurrent appends of the account, if the limits allow it.</summary>
    public bool TryReserveAppend(QuotaAccount account) =>
        Use(account.Owner, (account.Network, settings), static (usage, s) =>
        {
            if (usage.GetAppends(s.Network) >= s.settings.MaxAppendsPerOwner
                || usage.TotalAppends >= (long)s.settings.MaxAppendsPerOwner * s.settings.AnonymousTotalFactor)
            {
                return false;
            }

            usage.AddAppends(s.Network, 1);
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

    /// <summary>Removes owners without running appends and reservations and with an outdated count, so that the table does not grow indefinitely.</summary>
    public void RemoveIdleOwners()
    {
        foreach ((string owner, OwnerUsage usage) in _usageByOwner)
        {
            lock (usage)
            {
                // Another engine with the same store may have removed it, and a request may have added a new one.
                if (!usage.IsRemoved && usage.IsIdle(time))
                {
                    usage.IsRemoved = true;
                    _usageByOwner.TryRemove(KeyValuePair.Create(owner, usage));
                }
            }
        }
    }

    /// <summary>Returns what an upload has stored in addition to its usage at the reservation, or null if the store fails or hangs: the next count finds out.</summary>
    private async ValueTask<QuotaUsage?> GetStoredAsync(QuotaTarget target)
    {
        using var gracePeriod = new CancellationTokenSource(settings.AppendGracePeriod, time);
        try
        {
            return await store.GetAsync(target.Key, gracePeriod.Token) is { } info ? (QuotaUsage.Of(info) - target.Stored).ClampToZero() : default(QuotaUsage);
        }
        catch (Exception e) when (e is UploadStoreException || (e is OperationCanceledException && gracePeriod.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>Reserves with the locked usage of an owner.</summary>
    private ReservationResult Reserve(OwnerUsage usage, QuotaTarget target, QuotaUsage reserved, long minimumBytes)
    {
        QuotaUsage released = target.Released;
        if (reserved.Uploads > 0
            && (usage.GetUsage(target.Account.Network).Uploads - released.Uploads >= settings.MaxUploadsPerOwner
                || usage.Total.Uploads - released.Uploads >= (long)settings.MaxUploadsPerOwner * settings.AnonymousTotalFactor))
        {
            return new ReservationResult(null, UploadResultKind.TooManyUploads);
        }

        if (minimumBytes > GetAvailableBytes(usage, target.Account, released))
        {
            return new ReservationResult(null, UploadResultKind.OwnerQuotaExceeded);
        }

        var reservation = new QuotaReservation(this, target, reserved);
        usage.BeginReservation(reservation);
        return new ReservationResult(reservation);
    }

    private long GetAvailableBytes(OwnerUsage usage, QuotaAccount account, QuotaUsage released)
    {
        long bytes = (usage.GetUsage(account.Network) - released).ClampToZero().Bytes;
        long totalBytes = (usage.Total - released).ClampToZero().Bytes;
        return Math.Max(0, Math.Min(settings.MaxBytesPerOwner - bytes, _maxTotalBytes - totalBytes));
    }

    /// <summary>Runs a function with the locked usage of an owner.</summary>
    private T Use<TState, T>(string owner, TState state, Func<OwnerUsage, TState, T> use)
    {
        while (true)
        {
            OwnerUsage usage = _usageByOwner.GetOrAdd(owner, static _ => new OwnerUsage());
            lock (usage)
            {
                if (!usage.IsRemoved)
                {
                    return use(usage, state);
                }
            }
        }
    }

    /// <summary>Reserves after the uploads of the owner were counted.</summary>
    /// <param name="target">The upload.</param>
    /// <param name="reserved">The quota to reserve.</param>
    /// <param name="minimumBytes">The number of bytes that must be available.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="UploadStoreException">The count failed, or did not end in time.</exception>
    private async ValueTask<ReservationResult> ReserveCountedAsync(
        QuotaTarget target, QuotaUsage reserved, long minimumBytes, CancellationToken cancellationToken)
    {
        string owner = target.Account.Owner;
        long startTimestamp = time.GetTimestamp();
        bool hasRecounted = false;
        while (true)
        {
            OwnerUsage usage = _usageByOwner.GetOrAdd(owner, static _ => new OwnerUsage());
            Task count;
            lock (usage)
            {
                if (usage.IsRemoved)
                {
                    continue;
                }

                bool isCounting = usage.CountTask is not null;
                if (!usage.IsFresh(time))
                {
                    EnsureCounting(owner, usage);
                }

                if (usage.IsCounted)
                {
                    // The old count is used during another one: counting takes long for an owner with many uploads. But a client does not retry when its quota
                    // is exceeded, so a count that may be too high must not cause that.
                    ReservationResult result = Reserve(usage, target, reserved, minimumBytes);
                    bool isCertain = usage.CountTask is null && !usage.IsInexact;
                    if (result.Failure is null || ((isCertain || hasRecounted) && !usage.HasUnknownResults))
                    {
                        return result;
                    }
                }

                count = EnsureCounting(owner, usage);

                // A count that was running before may include uploads that were removed before the request.
                hasRecounted |= !isCounting;
            }


            await WaitForCountAsync(count, CountWaitTimeout - time.GetElapsedTime(startTimestamp), cancellationToken);
        }
    }

    /// <summary>Starts a count of the uploads of an owner, whose usage is locked, if none is running.</summary>
    private Task EnsureCounting(string owner, OwnerUsage usage)
    {
        if (usage.CountTask is { } running)
        {
            return running;
        }

        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        usage.StartCount(completion.Task);
        _ = CountAsync(owner, usage, completion);
        return completion.Task;
    }

    private async Task WaitForCountAsync(Task count, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await count.WaitAsync(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero, time, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new UploadStoreException(
                StoreFailure.Unavailable, $"The uploads of an owner were not listed within {CountWaitTimeout}. The count continues, and the client can retry.", null, e);
        }
    }

    /// <summary>Counts the uploads of an owner in the background, so that the count does not end with the request that started it.</summary>
    private async Task CountAsync(string owner, OwnerUsage usage, TaskCompletionSource completion)
    {
        // The caller holds the lock, and a listing may block the thread.
        await Task.Yield();
        using var timeout = new CancellationTokenSource(CountTimeout, time);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        (NetworkUsage Usage, bool IsExact)? counted = null;
        Exception? failure = null;
        try
        {
            counted = await ListAsync(owner, usage, source.Token).WaitAsync(source.Token);
        }
        catch (OperationCanceledException e) when (source.IsCancellationRequested)
        {
            failure = new UploadStoreException(
                StoreFailure.Unavailable, $"The server stops, or the uploads of an owner were not listed within {CountTimeout}.", null, e);
        }
        catch (Exception e)
        {
            // An old count stays valid; the next request starts another count.
            failure = e;
        }

        lock (usage)
        {
            usage.EndCount(counted?.Usage, counted is { IsExact: true }, time);
        }

        if (failure is null)
        {
            completion.SetResult();
        }
        else
        {
            completion.SetException(failure);

            // Nothing waits for a recount.
            _ = completion.Task.Exception;
        }
    }

    private async Task<(NetworkUsage Usage, bool IsExact)> ListAsync(string owner, OwnerUsage usage, CancellationToken cancellationToken)
    {
        var counted = new NetworkUsage();
        bool isExact = true;
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner, IncludeUnreadable = true }, cancellationToken))
        {
            isExact &= !info.IsUnreadable;
            QuotaUsage listed = QuotaUsage.Of(info);
            if (listed != default)
            {
                string network = QuotaAccount.From(info).Network;
                lock (usage)
                {
                    counted.Add(network, usage.GetCounted(info.Key.Id, listed));
                }
            }
        }

        return (counted, isExact);
    }
}
