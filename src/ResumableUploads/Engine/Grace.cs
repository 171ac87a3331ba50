namespace ResumableUploads.Engine;

/// <summary>
/// A token that fires some time after another. A client that leaves has sent bytes that are to be kept, so the way to the store stays
/// open for a while; only a storage that hangs is given up.
/// </summary>
internal sealed class Grace : IDisposable
{
    private readonly CancellationTokenSource _late;
    private readonly CancellationTokenRegistration _registration;
    private readonly TimeSpan _grace;

    public Grace(TimeSpan grace, TimeProvider time, CancellationToken left)
    {
        _late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _grace = grace;
        _registration = left.UnsafeRegister(static grace => ((Grace)grace!).Begin(), this);
    }

    public CancellationToken Token => _late.Token;

    public void Dispose()
    {
        _registration.Dispose();
        _late.Dispose();
    }

    private void Begin() => _late.CancelAfter(_grace);
}
