namespace ResumableUploads.Engine;

/// <summary>
/// Provides a token that is canceled a specified delay after <see cref="Start"/>, or after another token. When a client disconnects, the bytes that it has
/// sent must still be stored, so store calls continue for a grace period. After that, the store is considered hung.
/// </summary>
internal sealed class DelayedCancellation(TimeSpan delay, TimeProvider time) : IDisposable
{
    // Created when it is needed. Never disposed, because the timer may fire during the disposal. A source without a timer of its own has nothing to release.
    private CancellationTokenSource? _source;
    private readonly CancellationTokenRegistration _registration;
    private ITimer? _timer;
    private ITimer? _revocableTimer;
    private int _isStarted;

    public DelayedCancellation(TimeSpan delay, TimeProvider time, CancellationToken cancellationToken) : this(delay, time) =>
        _registration = cancellationToken.UnsafeRegister(static self => ((DelayedCancellation)self!).Start(), this);

    public CancellationToken Token => Source.Token;

    private CancellationTokenSource Source => LazyInitializer.EnsureInitialized(ref _source, static () => new CancellationTokenSource());

    /// <summary>Starts the delay, unless it has started. May be called from any thread, also after the disposal.</summary>
    public void Start()
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0)
        {
            _timer = CreateTimer();
        }
    }

    /// <summary>
    /// Starts or ends a delay of its own, which <see cref="Start"/> does not affect. Calls must not be concurrent, but may follow the disposal.
    /// </summary>
    public void SetRevocable(bool isRunning)
    {
        if (isRunning)
        {
            _revocableTimer ??= CreateTimer();
        }
        else
        {
            _revocableTimer?.Dispose();
            _revocableTimer = null;
        }
    }

    /// <summary>Cancels the token immediately.</summary>
    public void Cancel() => Source.Cancel();

    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
        _revocableTimer?.Dispose();
    }

    private ITimer CreateTimer() => time.CreateTimer(static self => ((DelayedCancellation)self!).Cancel(), this, delay, Timeout.InfiniteTimeSpan);
}
