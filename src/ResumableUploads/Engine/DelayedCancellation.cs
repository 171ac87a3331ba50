namespace ResumableUploads.Engine;

/// <summary>
/// Provides a token that is canceled a specified delay after another token. When a client disconnects, the bytes that it has sent must still be stored,
/// so store calls continue for a grace period. After that, the store is considered hung.
/// </summary>
internal sealed class DelayedCancellation : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;
    private readonly TimeSpan _delay;

    public DelayedCancellation(TimeSpan delay, TimeProvider time, CancellationToken cancellationToken)
    {
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _delay = delay;
        _registration = cancellationToken.UnsafeRegister(static self => ((DelayedCancellation)self!).StartDelay(), this);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }

    private void StartDelay() => _source.CancelAfter(_delay);
}
