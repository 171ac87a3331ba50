namespace ResumableUploads.Engine;

/// <summary>
/// A token that fires some time after another. A client that leaves has sent bytes that are to be kept, so the way to the store stays
/// open for a while; only a storage that hangs is given up.
/// </summary>
internal sealed class DelayedCancellation : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;
    private readonly TimeSpan _delay;

    public DelayedCancellation(TimeSpan grace, TimeProvider time, CancellationToken left)
    {
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _delay = grace;
        _registration = left.UnsafeRegister(static grace => ((DelayedCancellation)grace!).StartDelay(), this);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }

    private void StartDelay() => _source.CancelAfter(_delay);
}
