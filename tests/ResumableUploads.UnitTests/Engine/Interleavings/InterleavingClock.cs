namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>A clock that stands still until it is advanced to the next timer.</summary>
internal sealed class InterleavingClock : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = Start;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Gets the time since the scenario began.</summary>
    public TimeSpan Elapsed => GetUtcNow() - Start;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Advances to the time of the next timer and runs it.</summary>
    /// <returns>False if there is none.</returns>
    public bool AdvanceToNextTimer()
    {
        Timer? next;
        lock (_lock)
        {
            next = _timers.MinBy(static timer => timer.Due);
            if (next is null)
            {
                return false;
            }

            _now = next.Due > _now ? next.Due : _now;
            if (next.Period is { } period)
            {
                next.Due = _now + period;
            }
            else
            {
                _timers.Remove(next);
            }
        }

        next.Run();
        return true;
    }

    private sealed class Timer(InterleavingClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; set; }

        public TimeSpan? Period { get; private set; }

        public void Run() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = clock._now + dueTime;
                    Period = period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero ? null : period;
                    clock._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
