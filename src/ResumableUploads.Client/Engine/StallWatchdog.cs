namespace ResumableUploads.Client.Engine;

/// <summary>Cancels a request that makes no progress for a time.</summary>
internal sealed class StallWatchdog : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _stalled;
    private readonly CancellationTokenSource _either;

    public StallWatchdog(TimeSpan timeout, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, timeProvider);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_stalled.Token, cancellationToken);
    }

    /// <summary>Gets the token of the request.</summary>
    public CancellationToken Token => _either.Token;

    public bool HasStalled => _stalled.IsCancellationRequested;

    /// <summary>Ends what is left of the request.</summary>
    public Task CancelAsync() => _either.CancelAsync();

    /// <summary>Starts the time, or starts it again.</summary>
    public void Touch()
    {
        try
        {
            _stalled.CancelAfter(_timeout);
        }
        catch (ObjectDisposedException)
        {
            // The request has ended, but one of its writes has not.
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _stalled.Dispose();
    }
}
