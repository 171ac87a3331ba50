namespace ResumableUploads.Engine.Content;

/// <summary>
/// Watches how fast a client sends. Only the time in which the server waits for the client counts, so that a slow disk is nobody's
/// fault. It costs a timer only once a read has to wait.
/// </summary>
internal sealed class PaceWatch(TimeProvider time, EngineSettings settings, Action<ContentEnd> end) : IDisposable
{
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _waitingSince;
    private bool _waiting;
    private TimeSpan _waited;
    private long _bytes;
    private bool _disposed;

    public void WaitBegins()
    {
        lock (_lock)
        {
            _waiting = true;
            _waitingSince = time.GetTimestamp();
            if (_timer is null && !_disposed)
            {
                TimeSpan tick = (settings.IdleTimeout < settings.MinRateWindow ? settings.IdleTimeout : settings.MinRateWindow) / 4;
                _timer = time.CreateTimer(static watch => ((PaceWatch)watch!).Look(), this, tick, tick);
            }
        }
    }

    public void WaitEnds()
    {
        lock (_lock)
        {
            _waiting = false;
            _waited += time.GetElapsedTime(_waitingSince);
        }
    }

    public void Came(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Look()
    {
        ContentEnd verdict = ContentEnd.None;
        lock (_lock)
        {
            if (_disposed || !_waiting)
            {
                return;
            }

            TimeSpan idle = time.GetElapsedTime(_waitingSince);
            if (idle >= settings.IdleTimeout)
            {
                verdict = ContentEnd.Idle;
            }
            else if (settings.MinRate > 0 && _waited + idle >= settings.MinRateWindow)
            {
                TimeSpan waited = _waited + idle;
                if (Interlocked.Exchange(ref _bytes, 0) < settings.MinRate * waited.TotalSeconds)
                {
                    verdict = ContentEnd.TooSlow;
                }

                // The next window begins now; the idle time so far stays known through _waitingSince.
                _waited = -idle;
            }
        }

        if (verdict != ContentEnd.None)
        {
            end(verdict);
        }
    }
}
