using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Owners;

/// <summary>
/// How much each owner has unfinished. It is counted by listing the owner when it is first asked for, kept up to date from then on,
/// and counted again after a while, because other processes add to the same store.
/// </summary>
internal sealed class OwnerLedger(IUploadStore store, EngineSettings settings, TimeProvider time)
{
    private static readonly TimeSpan CountedFor = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<string, Account> _accounts = new(StringComparer.Ordinal);

    /// <summary>Makes room for a new upload; <see cref="OutcomeKind.Appended"/> means that there is some.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="length">Its length, where it is known.</param>
    /// <param name="atLeast">How many bytes come at once, where that is known. They are not reserved, but there has to be room for them.</param>
    /// <param name="cancellationToken">Ends the counting.</param>
    public async ValueTask<OutcomeKind> ReserveAsync(UploadKey key, long? length, long? atLeast, CancellationToken cancellationToken)
    {
        Account account = await CountedAsync(key.Owner, cancellationToken).ConfigureAwait(false);
        lock (account)
        {
            if (account.Uploads >= settings.MaxUploadsPerOwner)
            {
                return OutcomeKind.TooManyUploads;
            }

            if ((length ?? atLeast ?? 0) > settings.MaxBytesPerOwner - account.Bytes)
            {
                return OutcomeKind.OwnerQuotaExceeded;
            }

            account.Uploads++;
            account.Bytes += length ?? 0;
            return OutcomeKind.Appended;
        }
    }

    /// <summary>How many bytes the owner may still add.</summary>
    public async ValueTask<long> RoomAsync(string owner, CancellationToken cancellationToken)
    {
        Account account = await CountedAsync(owner, cancellationToken).ConfigureAwait(false);
        lock (account)
        {
            return Math.Max(0, settings.MaxBytesPerOwner - account.Bytes);
        }
    }

    /// <summary>Makes room for what an upload needs that gets its length.</summary>
    public async ValueTask<bool> TryGrowAsync(string owner, long bytes, CancellationToken cancellationToken)
    {
        Account account = await CountedAsync(owner, cancellationToken).ConfigureAwait(false);
        lock (account)
        {
            if (bytes > settings.MaxBytesPerOwner - account.Bytes)
            {
                return false;
            }

            account.Bytes += bytes;
            return true;
        }
    }

    /// <summary>Bytes came for an upload of unknown length.</summary>
    public void Grew(string owner, long bytes)
    {
        if (bytes != 0 && _accounts.TryGetValue(owner, out Account? account))
        {
            lock (account)
            {
                account.Bytes = Math.Max(0, account.Bytes + bytes);
            }
        }
    }

    /// <summary>An unfinished upload was finished or removed.</summary>
    public void Left(string owner, long bytes)
    {
        if (_accounts.TryGetValue(owner, out Account? account))
        {
            lock (account)
            {
                account.Uploads = Math.Max(0, account.Uploads - 1);
                account.Bytes = Math.Max(0, account.Bytes - bytes);
            }
        }
    }

    public bool TryEnterAppend(string owner)
    {
        while (true)
        {
            Account account = _accounts.GetOrAdd(owner, static _ => new Account());
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
        if (_accounts.TryGetValue(owner, out Account? account))
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
        foreach ((string owner, Account account) in _accounts)
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

    private async ValueTask<Account> CountedAsync(string owner, CancellationToken cancellationToken)
    {
        while (true)
        {
            Account account = _accounts.GetOrAdd(owner, static _ => new Account());
            Task? counting;
            TaskCompletionSource? mine = null;
            lock (account)
            {
                if (account.IsForgotten)
                {
                    continue;
                }

                if (account.IsFresh(time))
                {
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

            int uploads = 0;
            long bytes = 0;
            bool counted = false;
            try
            {
                await foreach (UploadInfo info in store.ListAsync(new UploadQuery { Owner = owner }, cancellationToken).ConfigureAwait(false))
                {
                    if (info.State == UploadState.Receiving)
                    {
                        uploads++;
                        bytes += info.Length ?? info.Offset;
                    }
                }

                counted = true;
            }
            finally
            {
                lock (account)
                {
                    account.Counting = null;
                    if (counted)
                    {
                        account.Uploads = uploads;
                        account.Bytes = bytes;
                        account.Counted(time);
                    }
                }

                mine!.SetResult();
            }

            return account;
        }
    }

    private sealed class Account
    {
        private long? _countedAt;

        public int Uploads { get; set; }

        public long Bytes { get; set; }

        public int Appends { get; set; }

        /// <summary>Ends with the count that runs now, or null.</summary>
        public Task? Counting { get; set; }

        public bool IsForgotten { get; set; }

        public bool IsFresh(TimeProvider time) => _countedAt is { } at && time.GetElapsedTime(at) < CountedFor;

        public void Counted(TimeProvider time) => _countedAt = time.GetTimestamp();
    }
}
