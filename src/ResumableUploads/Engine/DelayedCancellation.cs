namespace ResumableUploads.Engine;

/// <summary>
/// Provides a token that is canceled a specified delay after <see cref="Start"/>, or after another token. When a client disconnects, the bytes that it has
/// sent must still be stored, so store calls continue for a grace period. After that, the store is considered hung.
/// </summary>
internal sealed class DelayedCancellation(TimeSpan delay, TimeProvider time) : IDisposable
{
    // Never disposed, because the timer may fire during the disposal. A source without a timer of its own has nothing to release.
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _registration;
    private ITimer? _timer;

    public DelayedCancellation(TimeSpan delay, TimeProvider time, CancellationToken cancellationToken) : this(delay, time) =>
        _registration = cancellationToken.UnsafeRegister(static self => ((DelayedCancellation)self!).Start(), this);

    public CancellationToken Token => _source.Token;

    /// <summary>Starts the delay. Must be called at most once.</summary>
    public void Start() => _timer = time.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), _source, delay, Timeout.InfiniteTimeSpan);

    /// <summary>Cancels the token immediately.</summary>
    public void Cancel() => _source.Cancel();

    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
    }
}
