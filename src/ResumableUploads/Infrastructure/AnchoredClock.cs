namespace ResumableUploads.Infrastructure;

/// <summary>
/// A clock that was read elsewhere: its time when it was last read, and what has passed since then by the monotonic clock of this process. Until the first reading,
/// it is the clock of the machine.
/// </summary>
/// <param name="time">The clock of the machine.</param>
internal abstract class AnchoredClock(TimeProvider time) : TimeProvider
{
    private volatile Reading? _last;

    /// <summary>Gets the clock of the machine.</summary>
    protected TimeProvider Machine { get; } = time;

    /// <summary>Gets whether the clock was read.</summary>
    public bool IsSynchronized => _last is not null;

    public override long TimestampFrequency => Machine.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => Machine.LocalTimeZone;

    public override long GetTimestamp() => Machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        Machine.CreateTimer(callback, state, dueTime, period);

    public override DateTimeOffset GetUtcNow() => _last is { } last ? last.UtcNow + GetElapsedTime(last.Timestamp) : Machine.GetUtcNow();

    /// <summary>Sets the time that was read by a call. The clock was read at some time during the call; half of it is the best estimate.</summary>
    /// <param name="utcNow">The time that was read.</param>
    /// <param name="start">The timestamp of the start of the call.</param>
    protected void SetUtcNow(DateTimeOffset utcNow, long start)
    {
        long end = GetTimestamp();
        _last = new Reading(utcNow + (GetElapsedTime(start, end) / 2), end);
    }

    /// <param name="UtcNow">The time of the other clock.</param>
    /// <param name="Timestamp">The timestamp of this process at that time.</param>
    private sealed record Reading(DateTimeOffset UtcNow, long Timestamp);
}
