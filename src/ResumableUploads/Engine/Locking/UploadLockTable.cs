using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>
/// The locks of one process, one per upload. A new request requests that the holder release the lock, and waits for it. Waiters
/// acquire the lock in order of arrival. A holder is requested to release it as long as others wait.
/// </summary>
internal sealed class UploadLockTable(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, LockEntry> _entries = [];

    /// <summary>Returns whether the lock is held and its holder releases it on request.</summary>
    public bool IsPreemptible(UploadKey key)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(key, out LockEntry? entry) && !entry.Current.CannotBePreempted;
        }
    }

    /// <summary>Returns the offset that the current holder has made durable, or 0 if the lock is free.</summary>
    public long GetDurableOffset(UploadKey key)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(key, out LockEntry? entry) ? entry.Current.DurableOffset : 0;
        }
    }

    /// <summary>Acquires the lock without waiting.</summary>
    /// <returns>The lock, or <see langword="null"/> if it is held.</returns>
    public UploadLock? TryAcquire(UploadKey key)
    {
        lock (_lock)
        {
            return _entries.ContainsKey(key) ? null : AddEntry(key);
        }
    }

    /// <summary>Requests that the current holder release the lock, and waits for it.</summary>
    /// <returns>The lock, or <see langword="null"/> if the wait takes longer than <paramref name="timeout"/>.</returns>
    public async ValueTask<UploadLock?> AcquireAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) =>
        (await AcquireForAppendAsync(key, null, timeout, cancellationToken)).Lock;

    /// <summary>
    /// Requests that the current holder release the lock, and waits for it, unless the holder receives a body and would end at another offset than the one at
    /// which the new request appends: two clients at different offsets must not preempt each other.
    /// </summary>
    /// <param name="key">The upload.</param>
    /// <param name="appendOffset">The offset at which the new request appends, or null if it preempts the holder at any offset.</param>
    /// <param name="timeout">The maximum time to wait.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The lock. Null if the holder was not disturbed because of its offset, or if the wait takes longer than <paramref name="timeout"/>.</returns>
    public async ValueTask<(UploadLock? Lock, bool IsRefused)> AcquireForAppendAsync(UploadKey key, long? appendOffset, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Waiter waiter;
        Action notifyHolder;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out LockEntry? entry))
            {
                return (AddEntry(key), IsRefused: false);
            }

            // A request whose client has disconnected must not preempt the holder, which may be a retry of the same client.
            cancellationToken.ThrowIfCancellationRequested();
            if (!entry.Current.TryRequestRelease(appendOffset, out notifyHolder))
            {
                return (null, IsRefused: true);
            }

            waiter = new Waiter(appendOffset);
            entry.Waiters.AddLast(waiter);
        }

        notifyHolder();
        try
        {
            UploadLock? acquired = await waiter.Acquired.Task.WaitAsync(timeout, time, cancellationToken);
            return (acquired, IsRefused: acquired is null);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            AbandonWait(key, waiter);
            if (e is TimeoutException)
            {
                return (null, IsRefused: false);
            }

            throw;
        }
    }

    internal void Release(UploadLock uploadLock)
    {
        Waiter? next;
        UploadLock? successor = null;
        lock (_lock)
        {
            LockEntry entry = _entries[uploadLock.Key];
            next = entry.Waiters.First?.Value;
            if (next is null)
            {
                _entries.Remove(uploadLock.Key);
            }
            else
            {
                entry.Waiters.RemoveFirst();
                successor = entry.Current = new UploadLock(this, uploadLock.Key);
                if (entry.Waiters.Count > 0)
                {
                    successor.RequestRelease();
                }
            }
        }

        next?.Acquired.SetResult(successor);
    }

    /// <summary>Begins to receive a body, and refuses the waiting appends at other offsets.</summary>
    internal void StartReceiving(UploadLock uploadLock, long offset)
    {
        lock (_lock)
        {
            LinkedList<Waiter> waiters = _entries[uploadLock.Key].Waiters;
            bool yields = false;
            for (LinkedListNode<Waiter>? node = uploadLock.CannotBePreempted ? null : waiters.First, next; node is not null; node = next)
            {
                next = node.Next;
                yields |= node.Value.AppendOffset == offset;
                if (node.Value.AppendOffset is { } other && other != offset)
                {
                    waiters.Remove(node);
                    node.Value.Acquired.SetResult(null);
                }
            }

            uploadLock.SetReceiving(offset, isReleaseRequested: waiters.Count > 0, yields);
        }
    }

    private UploadLock AddEntry(UploadKey key)
    {
        var uploadLock = new UploadLock(this, key);
        _entries.Add(key, new LockEntry(uploadLock));
        return uploadLock;
    }

    private bool TryRemove(UploadKey key, Waiter waiter)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out LockEntry? entry) || !entry.Waiters.Remove(waiter))
            {
                return false;
            }

            if (entry.Waiters.Count == 0)
            {
                entry.Current.WithdrawReleaseRequest();
            }

            return true;
        }
    }

    private void AbandonWait(UploadKey key, Waiter waiter)
    {
        // The lock was granted at the same time and is not used: pass it to the next waiter.
        if (!TryRemove(key, waiter))
        {
            waiter.Acquired.Task.ContinueWith(
                static granted => granted.Result?.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }
    }

    /// <summary>A request that waits for a lock.</summary>
    /// <param name="appendOffset">The offset at which it appends, or null if it preempts the holder at any offset.</param>
    private sealed class Waiter(long? appendOffset)
    {
        public long? AppendOffset => appendOffset;

        /// <summary>Gets the source of the lock, or of null if the request is refused.</summary>
        public TaskCompletionSource<UploadLock?> Acquired { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class LockEntry(UploadLock holder)
    {
        public UploadLock Current { get; set; } = holder;

        public LinkedList<Waiter> Waiters { get; } = [];
    }
}
