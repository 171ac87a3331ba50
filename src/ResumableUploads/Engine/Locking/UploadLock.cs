using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Locking;

/// <summary>The right to change one upload in this process. Disposing it passes it on.</summary>
internal sealed class UploadLock(UploadLockTable locks, UploadKey key) : IDisposable
{
    private readonly Lock _lock = new();
    private Action? _onReleaseRequested;
    private bool _isReleaseRequested;
    private long _durableOffset;
    private int _disposed;

    public UploadKey Key { get; } = key;

    /// <summary>Whether its holder works for no connection that could be dead, and so does not leave before it has ended.</summary>
    public bool CannotBePreempted { get; set; }

    /// <summary>What the holder has made durable; an append below it is stale for certain.</summary>
    public long DurableOffset
    {
        get => Volatile.Read(ref _durableOffset);
        set => Volatile.Write(ref _durableOffset, value);
    }

    /// <summary>Sets what happens when somebody wants the turn; at once, if somebody does already.</summary>
    public void OnReleaseRequested(Action? leave)
    {
        bool now;
        lock (_lock)
        {
            _onReleaseRequested = leave;
            now = _isReleaseRequested;
        }

        if (now)
        {
            leave?.Invoke();
        }
    }

    public void RequestRelease()
    {
        Action? leave;
        lock (_lock)
        {
            _isReleaseRequested = true;
            leave = _onReleaseRequested;
        }

        leave?.Invoke();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            locks.Release(this);
        }
    }
}
