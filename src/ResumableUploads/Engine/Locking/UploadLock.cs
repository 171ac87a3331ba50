using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>
/// The exclusive right to change one upload within this process. Dispose it to pass it to the next waiter.
/// </summary>
internal sealed class UploadLock(UploadLockTable locks, UploadKey key) : IDisposable
{
    private readonly Lock _lock = new();
    private Action<object?>? _releaseCallback;
    private object? _releaseState;
    private DelayedCancellation? _gracePeriod;
    private CancellationTokenSource? _releaseSource;
    private bool _isReleaseRequested;
    private long? _receivedOffset;
    private bool _hasYielded;
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
    /// <param name="state">The argument of the action.</param>
    public void SetReleaseCallback(Action<object?>? callback, object? state = null)
    {
        bool isReleaseRequested;
        lock (_lock)
        {
            _releaseCallback = callback;
            _releaseState = state;
            isReleaseRequested = _isReleaseRequested;
        }

        if (isReleaseRequested)
        {
            callback?.Invoke(state);
        }
    }

    /// <summary>
    /// Sets the grace period that starts when another request waits for the lock. After it, the holder does not wait for the store any more. It ends if the holder
    /// begins to receive a body and no request waits then.
    /// </summary>
    public void SetGracePeriod(DelayedCancellation gracePeriod)
    {
        lock (_lock)
        {
            _gracePeriod = gracePeriod;
            SetReleaseRequested(_isReleaseRequested);
        }
    }

    /// <summary>
    /// Begins to receive a body. Until <see cref="StopReceiving"/>, another append preempts the holder only at the offset at which the holder would end.
    /// </summary>
    /// <param name="offset">The offset of the first byte of the body.</param>
    public void StartReceiving(long offset) => locks.StartReceiving(this, offset);

    /// <summary>Ends the effect of <see cref="StartReceiving"/>.</summary>
    public void StopReceiving()
    {
        lock (_lock)
        {
            _receivedOffset = null;
        }
    }

    /// <summary>Adds received bytes to the offset at which the holder would end.</summary>
    /// <returns>False if another append has preempted the holder at its current offset: the bytes must be discarded.</returns>
    public bool TryReceive(long count)
    {
        lock (_lock)
        {
            if (_hasYielded)
            {
                return false;
            }

            _receivedOffset += count;
            return true;
        }
    }

    /// <summary>Sets the offset of the body, and which requests wait for the lock.</summary>
    /// <param name="offset">The offset of the first byte of the body.</param>
    /// <param name="isReleaseRequested">Whether a request waits for the lock.</param>
    /// <param name="yields">Whether it is an append at the same offset, so that the holder receives nothing.</param>
    internal void SetReceiving(long offset, bool isReleaseRequested, bool yields)
    {
        lock (_lock)
        {
            _receivedOffset = offset;
            SetReleaseRequested(isReleaseRequested);
            _hasYielded = yields;
        }
    }

    /// <summary>Requests that the holder release the lock. Does not wait.</summary>
    public void RequestRelease()
    {
        _ = TryRequestRelease(appendOffset: null, out Action notify);
        notify();
    }

    /// <summary>Records that another request waits for the lock.</summary>
    /// <param name="appendOffset">The offset at which the request appends, or null if it does not append.</param>
    /// <param name="notify">The action that notifies the holder. It must not be called under a lock.</param>
    /// <returns>False if the holder receives a body and would end at another offset: it is not disturbed.</returns>
    internal bool TryRequestRelease(long? appendOffset, out Action notify)
    {
        lock (_lock)
        {
            if (appendOffset is not null && _receivedOffset is not null && !_isReleaseRequested && !CannotBePreempted)
            {
                if (appendOffset != _receivedOffset)
                {
                    notify = static () => { };
                    return false;
                }

                _hasYielded = true;
            }

            SetReleaseRequested(true);
            (Action<object?>? callback, object? state, CancellationTokenSource? source) = (_releaseCallback, _releaseState, _releaseSource);
            notify = () =>
            {
                callback?.Invoke(state);

                // Callbacks of the token may be code of the application, which must not run in the request that waits.
                _ = source?.CancelAsync();
            };
            return true;
        }
    }

    /// <summary>
    /// Records that no request waits for the lock any more. Has no effect on a holder that was notified, or that receives a body.
    /// </summary>
    internal void WithdrawReleaseRequest()
    {
        lock (_lock)
        {
            _isReleaseRequested &= _receivedOffset is not null || _releaseCallback is not null || _releaseSource is not null;
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            locks.Release(this);
        }
    }

    private void SetReleaseRequested(bool isRequested)
    {
        _isReleaseRequested = isRequested;
        _gracePeriod?.SetRevocable(isRequested);
    }
}
