using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Owners;

/// <summary>
/// How much each owner has unfinished. It is counted by listing the owner when it is first asked for, kept up to date from then on,
/// and counted again after a while, because other processes add to the same store: nobody waits for that.
/// </summary>
internal sealed class OwnerLedger(IUploadStore store, EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    private readonly ConcurrentDictionary<string, OwnerAccount> _accounts = new(StringComparer.Ordinal);

    /// <summary>Makes room for a new upload; <see cref="OutcomeKind.Appended"/> means that there is some.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="length">Its length, where it is known.</param>
    /// <param name="atLeast">How many bytes come at once, where that is known. They are not reserved, but there has to be room for them.</param>
    /// <param name="cancellationToken">Ends the counting.</param>
    public async ValueTask<OutcomeKind> ReserveAsync(UploadKey key, long? length, long? atLeast, CancellationToken cancellationToken)
    {
        OwnerAccount account = await CountedAsync(key.Owner, cancellationToken).ConfigureAwait(false);
        lock (account)
        {
            if (account.Now.Uploads >= settings.MaxUploadsPerOwner)
            {
                return OutcomeKind.TooManyUploads;
            }

            if ((length ?? atLeast ?? 0) > settings.MaxBytesPerOwner - account.Now.Bytes)
            {
                return OutcomeKind.OwnerQuotaExceeded;
            }

            account.Now = account.Now.Plus(1, length ?? 0);
            return OutcomeKind.Appended;
        }
    }

    /// <summary>How many bytes the owner may still add.</summary>
    public async ValueTask<long> RoomAsync(string owner, CancellationToken cancellationToken)
    {
        OwnerAccount account = await CountedAsync(owner, cancellationToken).ConfigureAwait(false);
        lock (account)
        {
            return Math.Max(0, settings.MaxBytesPerOwner - account.Now.Bytes);
        }
    }

    /// <summary>Makes room for what an upload needs that gets its length.</summary>
    public async ValueTask<bool> TryGrowAsync(string owner, long bytes, CancellationToken cancellationToken)
    {
        OwnerAccount account = await CountedAsync(owner, cancellationToken).ConfigureAwait(false);
        lock (account)
        {
            if (bytes > settings.MaxBytesPerOwner - account.Now.Bytes)
            {
                return false;
            }

            account.Now = account.Now.Plus(0, bytes);
            return true;
        }
    }

    /// <summary>Bytes came for an upload of unknown length.</summary>
    public void Grew(string owner, long bytes)
    {
        if (bytes != 0 && _accounts.TryGetValue(owner, out OwnerAccount? account))
        {
            lock (account)
            {
                account.Now = account.Now.Plus(0, bytes);
            }
        }
    }

    /// <summary>An unfinished upload was finished or removed.</summary>
    public void Left(string owner, long bytes)
    {
        if (_accounts.TryGetValue(owner, out OwnerAccount? account))
        {
            lock (account)
            {
                account.Now = account.Now.Plus(-1, -bytes);
            }
        }
    }

    public bool TryEnterAppend(string owner)
    {
        while (true)
        {
            OwnerAccount account = _accounts.GetOrAdd(owner, static _ => new OwnerAccount());
            lock (account)
            {
                if (account.IsForgotten)
                {
                    continue;
                }

                if (account.Appends >= settings.MaxAppendsPerOwner)
                {
                    return false;
                }

                account.Appends++;
                return true;
            }
        }
    }

    public void LeaveAppend(string owner)
    {
        if (_accounts.TryGetValue(owner, out OwnerAccount? account))
        {
            lock (account)
            {
                account.Appends--;
            }
        }
    }

    /// <summary>Forgets owners that have nothing going on, so that the table does not grow with everybody who ever came.</summary>
    public void ForgetIdle()
    {
        foreach ((string owner, OwnerAccount account) in _accounts)
        {
            lock (account)
            {
                if (account.Appends == 0 && account.Counting is null && !account.IsFresh(time))
                {
                    account.IsForgotten = true;
                    _accounts.TryRemove(owner, out _);
                }
            }
        }
    }

    private async ValueTask<OwnerAccount> CountedAsync(string owner, CancellationToken cancellationToken)
    {
        while (true)
        {
            OwnerAccount account = _accounts.GetOrAdd(owner, static _ => new OwnerAccount());
            Task? counting;
            TaskCompletionSource? mine = null;
            lock (account)
            {
                if (account.IsForgotten)
                {
                    continue;
                }

                if (account.IsCounted)
                {
                    if (!account.IsFresh(time))
                    {
                        // The number of before does meanwhile: an owner may have so many uploads that this takes long.
                        account.Counting ??= CountAgain(owner, account, account.Now);
                    }

                    return account;
                }

                counting = account.Counting;
                if (counting is null)
                {
                    mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    account.Counting = mine.Task;
                }
            }

            if (counting is not null)
            {
                // Without the number nobody may be let in: it would not be in the sum.
                await counting.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            try
            {
                await CountAsync(owner, account, default, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                mine!.SetResult();
            }

            return account;
        }
    }

    private Task CountAgain(string owner, OwnerAccount account, OwnerAccount.Sum before) =>
        Task.Run(() => CountAgainAsync(owner, account, before), CancellationToken.None);

    private async Task CountAgainAsync(string owner, OwnerAccount account, OwnerAccount.Sum before)
    {
        try
        {
            await CountAsync(owner, account, before, stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is UploadStoreException or OperationCanceledException)
        {
            // The next who comes tries again.
        }
    }

    private async Task CountAsync(string owner, OwnerAccount account, OwnerAccount.Sum before, CancellationToken cancellationToken)
    {
        var counted = new OwnerAccount.Sum(0, 0);
        bool isWhole = false;
        try
        {
            await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken).ConfigureAwait(false))
            {
                if (info.State == UploadState.Receiving)
                {
                    counted = counted.Plus(1, info.Length ?? info.Offset);
                }
            }

            isWhole = true;
        }
        finally
        {
            lock (account)
            {
                account.Counting = null;
                if (isWhole)
                {
                    // With what came and went meanwhile. Some of it may have been listed as well, which the next count puts right.
                    account.Now = counted.Plus(account.Now.Uploads - before.Uploads, account.Now.Bytes - before.Bytes);
                    account.Counted(time);
                }
            }
        }
    }
}
