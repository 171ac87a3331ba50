namespace ResumableUploads.Engine.Content;

/// <summary>
/// Watches how fast a client sends. Only the time in which the server waits for the client counts, so that a slow disk is nobody's
/// fault. It costs a timer only once a read has to wait.
/// </summary>
internal sealed class MinDataRateMonitor(TimeProvider time, EngineSettings settings, Action<BodyEndReason> end) : IDisposable
{
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _waitingSince;
    private bool _isWaiting;
    private TimeSpan _totalWait;
    private long _bytes;
    private bool _disposed;

    public void StartWaiting()
    {
        lock (_lock)
        {
            _isWaiting = true;
            _waitingSince = time.GetTimestamp();
            if (_timer is null && !_disposed)
            {
                TimeSpan tick = (settings.IdleTimeout < settings.MinDataRatePeriod ? settings.IdleTimeout : settings.MinDataRatePeriod) / 4;
                _timer = time.CreateTimer(static watch => ((MinDataRateMonitor)watch!).CheckDataRate(), this, tick, tick);
            }
        }
    }

    public void StopWaiting()
    {
        lock (_lock)
        {
            _isWaiting = false;
            _totalWait += time.GetElapsedTime(_waitingSince);
        }
    }

    public void AddBytes(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void CheckDataRate()
    {
        BodyEndReason verdict = BodyEndReason.NotEnded;
        lock (_lock)
        {
            if (_disposed || !_isWaiting)
            {
                return;
            }

            TimeSpan idle = time.GetElapsedTime(_waitingSince);
            if (idle >= settings.IdleTimeout)
            {
                verdict = BodyEndReason.IdleTimeout;
            }
            else if (settings.MinDataRate > 0 && _totalWait + idle >= settings.MinDataRatePeriod)
            {
                TimeSpan waited = _totalWait + idle;
                if (Interlocked.Exchange(ref _bytes, 0) < settings.MinDataRate * waited.TotalSeconds)
                {
                    verdict = BodyEndReason.BelowMinDataRate;
                }

                // The next window begins now; the idle time so far stays known through _waitingSince.
                _totalWait = -idle;
            }
        }

        if (verdict != BodyEndReason.NotEnded)
        {
            end(verdict);
        }
    }
}
