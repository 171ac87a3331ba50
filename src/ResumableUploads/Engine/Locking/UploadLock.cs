using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>
/// The exclusive right to change one upload within this process. Dispose it to pass it to the next waiter.
/// </summary>
internal sealed class UploadLock(UploadLockTable locks, UploadKey key) : IDisposable
{
    private readonly Lock _lock = new();
    private Action? _releaseCallback;
    private CancellationTokenSource? _releaseSource;
    private bool _isReleaseRequested;
    private long _durableOffset;
    private int _disposed;

    public UploadKey Key { get; } = key;

    /// <summary>
    /// Gets or sets whether the holder ignores requests to release the lock. Set for work that does not depend on a connection
    /// that could be dead, such as a concatenation.
    /// </summary>
    public bool CannotBePreempted { get; set; }

    /// <summary>Gets or sets the offset that the holder has made durable. An append at a lower offset is stale.</summary>
    public long DurableOffset
    {
        get => Volatile.Read(ref _durableOffset);
        set => Volatile.Write(ref _durableOffset, value);
    }

    /// <summary>Gets the token that is canceled when another request waits for the lock.</summary>
    public CancellationToken ReleaseRequested
    {
        get
        {
            lock (_lock)
            {
                _releaseSource ??= new CancellationTokenSource();
                if (_isReleaseRequested)
                {
                    _releaseSource.Cancel();
                }

                return _releaseSource.Token;
            }
        }
    }

    /// <summary>
    /// Sets the action that runs when another request waits for the lock. If a request is already waiting, the action runs immediately.
    /// </summary>
    /// <param name="callback">The action, or <see langword="null"/> to remove it.</param>
    public void SetReleaseCallback(Action? callback)
    {
        bool isReleaseRequested;
        lock (_lock)
        {
            _releaseCallback = callback;
            isReleaseRequested = _isReleaseRequested;
        }

        if (isReleaseRequested)
        {
            callback?.Invoke();
        }
    }

    /// <summary>Requests that the holder release the lock. Does not wait.</summary>
    public void RequestRelease()
    {
        Action? callback;
        CancellationTokenSource? source;
        lock (_lock)
        {
            _isReleaseRequested = true;
            callback = _releaseCallback;
            source = _releaseSource;
        }

        callback?.Invoke();

        // Callbacks of the token may be code of the application, which must not run in the request that waits.
        _ = source?.CancelAsync();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            locks.Release(this);
        }
    }
}
