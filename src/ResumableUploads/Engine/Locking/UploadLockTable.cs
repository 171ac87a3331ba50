using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>
/// One turn per upload. Whoever comes next asks the holder to leave and waits for it; those who wait are served in the order
/// in which they came, and each is asked to leave as soon as somebody waits behind it.
/// </summary>
internal sealed class UploadLockTable(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, LockEntry> _entries = [];

    /// <summary>Whether somebody has the turn who leaves when asked.</summary>
    public bool IsPreemptible(UploadKey key)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(key, out LockEntry? line) && !line.Current.CannotBePreempted;
        }
    }

    /// <summary>What the present holder has made durable, or 0 when nobody holds the turn.</summary>
    public long GetDurableOffset(UploadKey key)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(key, out LockEntry? line) ? line.Current.DurableOffset : 0;
        }
    }

    /// <summary>The turn, if nobody has it.</summary>
    public UploadLock? TryAcquire(UploadKey key)
    {
        lock (_lock)
        {
            if (_entries.ContainsKey(key))
            {
                return null;
            }

            var uploadLock = new UploadLock(this, key);
            _entries.Add(key, new LockEntry(uploadLock));
            return uploadLock;
        }
    }

    /// <summary>The turn, after whoever has it was asked to leave; null when that takes longer than <paramref name="timeout"/>.</summary>
    public async ValueTask<UploadLock?> AcquireAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        TaskCompletionSource<UploadLock> place;
        UploadLock holder;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out LockEntry? line))
            {
                var uploadLock = new UploadLock(this, key);
                _entries.Add(key, new LockEntry(uploadLock));
                return uploadLock;
            }

            // Who has left already takes over nobody: it may be its own client that has the turn by now.
            cancellationToken.ThrowIfCancellationRequested();
            place = new TaskCompletionSource<UploadLock>(TaskCreationOptions.RunContinuationsAsynchronously);
            line.Waiters.AddLast(place);
            holder = line.Current;
        }

        holder.RequestRelease();
        try
        {
            return await place.Task.WaitAsync(timeout, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            AbandonWait(key, place);
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
        bool others = false;
        lock (_lock)
        {
            LockEntry line = _entries[uploadLock.Key];
            next = line.Waiters.First?.Value;
            if (next is null)
            {
                _entries.Remove(uploadLock.Key);
            }
            else
            {
                line.Waiters.RemoveFirst();
                successor = line.Current = new UploadLock(this, uploadLock.Key);
                others = line.Waiters.Count > 0;
            }
        }

        if (successor is not null)
        {
            if (others)
            {
                successor.RequestRelease();
            }

            next!.SetResult(successor);
        }
    }

    private void AbandonWait(UploadKey key, TaskCompletionSource<UploadLock> place)
    {
        bool waiting;
        lock (_lock)
        {
            waiting = _entries.TryGetValue(key, out LockEntry? line) && line.Waiters.Remove(place);
        }

        // The turn was passed on to the one who gave up: it has to go on from here.
        if (!waiting)
        {
            place.Task.ContinueWith(
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
