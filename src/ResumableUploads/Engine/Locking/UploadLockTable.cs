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

    /// <summary>
    /// Requests that the current holder release the lock, and waits for it.
    /// </summary>
    /// <returns>The lock, or <see langword="null"/> if the wait takes longer than <paramref name="timeout"/>.</returns>
    public async ValueTask<UploadLock?> AcquireAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        TaskCompletionSource<UploadLock> waiter;
        UploadLock holder;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out LockEntry? entry))
            {
                return AddEntry(key);
            }

            // A request whose client has disconnected must not preempt the holder, which may be a retry of the same client.
            cancellationToken.ThrowIfCancellationRequested();
            waiter = new TaskCompletionSource<UploadLock>(TaskCreationOptions.RunContinuationsAsynchronously);
            entry.Waiters.AddLast(waiter);
            holder = entry.Current;
        }

        holder.RequestRelease();
        try
        {
            return await waiter.Task.WaitAsync(timeout, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            AbandonWait(key, waiter);
            if (e is TimeoutException)
            {
                return null;
            }

            throw;
        }
    }

    internal void Release(UploadLock uploadLock)
    {
        TaskCompletionSource<UploadLock>? next;
        UploadLock? successor = null;
        bool hasMoreWaiters = false;
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
                hasMoreWaiters = entry.Waiters.Count > 0;
            }
        }

        if (successor is not null)
        {
            if (hasMoreWaiters)
            {
                successor.RequestRelease();
            }

            next!.SetResult(successor);
        }
    }

    private UploadLock AddEntry(UploadKey key)
    {
        var uploadLock = new UploadLock(this, key);
        _entries.Add(key, new LockEntry(uploadLock));
        return uploadLock;
    }

    private void AbandonWait(UploadKey key, TaskCompletionSource<UploadLock> waiter)
    {
        bool wasWaiting;
        lock (_lock)
        {
            wasWaiting = _entries.TryGetValue(key, out LockEntry? entry) && entry.Waiters.Remove(waiter);
        }

        // The lock was granted at the same time and is not used: pass it to the next waiter.
        if (!wasWaiting)
        {
            waiter.Task.ContinueWith(
                static granted => granted.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }
    }

    private sealed class LockEntry(UploadLock holder)
    {
        public UploadLock Current { get; set; } = holder;

        public LinkedList<TaskCompletionSource<UploadLock>> Waiters { get; } = [];
    }
}
