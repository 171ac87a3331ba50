namespace ResumableUploads.Engine.Content;

/// <summary>
/// Enforces the idle timeout and the minimum data rate of a request body. Only the time that the server waits for the client
/// counts, so that a slow disk does not end a request. The timer is created only when a read has to wait.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="settings">The idle timeout and the minimum data rate.</param>
/// <param name="onViolation">The action that ends the body.</param>
internal sealed class MinDataRateMonitor(TimeProvider time, EngineSettings settings, Action<BodyEndReason> onViolation) : IDisposable
{
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _waitStartTimestamp;
    private bool _isWaiting;
    private bool _isDisposed;
    private long _bytesInPeriod;

    /// <summary>The completed waits of the current period, minus the part of a running wait that the previous period counted.</summary>
    private TimeSpan _waitInPeriod;

    /// <summary>Call before waiting for the client.</summary>
    public void StartWaiting()
    {
        lock (_lock)
        {
            _isWaiting = true;
            _waitStartTimestamp = time.GetTimestamp();
            if (_timer is null && !_isDisposed)
            {
                TimeSpan interval = (settings.IdleTimeout < settings.MinDataRatePeriod ? settings.IdleTimeout : settings.MinDataRatePeriod) / 4;
                _timer = time.CreateTimer(static monitor => ((MinDataRateMonitor)monitor!).CheckDataRate(), this, interval, interval);
            }
        }
    }

    /// <summary>Call when the wait for the client has ended.</summary>
    public void StopWaiting()
    {
        lock (_lock)
        {
            _isWaiting = false;
            _waitInPeriod += time.GetElapsedTime(_waitStartTimestamp);
        }
    }

    /// <summary>Counts received bytes.</summary>
    public void AddBytes(long bytes) => Interlocked.Add(ref _bytesInPeriod, bytes);

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void CheckDataRate()
    {
        BodyEndReason violation = BodyEndReason.NotEnded;
        lock (_lock)
        {
            if (_isDisposed || !_isWaiting)
            {
                return;
            }

            TimeSpan idle = time.GetElapsedTime(_waitStartTimestamp);
            TimeSpan waited = _waitInPeriod + idle;
            if (idle >= settings.IdleTimeout)
            {
                violation = BodyEndReason.IdleTimeout;
            }
            else if (settings.MinDataRate > 0 && waited >= settings.MinDataRatePeriod)
            {
                if (Interlocked.Exchange(ref _bytesInPeriod, 0) < settings.MinDataRate * waited.TotalSeconds)
                {
                    violation = BodyEndReason.BelowMinDataRate;
                }

                // Starts the next period. The running wait keeps its start for the idle timeout, so what was counted is subtracted.
                _waitInPeriod = -idle;
            }
        }

        if (violation != BodyEndReason.NotEnded)
        {
            onViolation(violation);
        }
    }
}
