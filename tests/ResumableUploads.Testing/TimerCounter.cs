namespace ResumableUploads.Testing;

/// <summary>A time provider that counts the timers that are not disposed.</summary>
/// <param name="isCounted">Returns whether a timer with a due time is counted.</param>
/// <param name="time">The time, or <see langword="null"/> for that of the system.</param>
internal sealed class TimerCounter(Func<TimeSpan, bool> isCounted, TimeProvider? time = null) : TimeProvider
{
    private readonly TimeProvider _time = time ?? System;
    private int _active;

    public override TimeZoneInfo LocalTimeZone => _time.LocalTimeZone;

    public override long TimestampFrequency => _time.TimestampFrequency;

    public int Active => Volatile.Read(ref _active);

    public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

    public override long GetTimestamp() => _time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = _time.CreateTimer(callback, state, dueTime, period);
        return isCounted(dueTime) ? new CountedTimer(this, timer) : timer;
    }

    private sealed class CountedTimer : ITimer
    {
        private readonly TimerCounter _counter;
        private readonly ITimer _timer;
        private bool _isDisposed;

        public CountedTimer(TimerCounter counter, ITimer timer)
        {
            (_counter, _timer) = (counter, timer);
            Interlocked.Increment(ref counter._active);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => _timer.Change(dueTime, period);

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isDisposed, true))
            {
                Interlocked.Decrement(ref _counter._active);
            }

            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
