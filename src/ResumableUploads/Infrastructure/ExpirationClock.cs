namespace ResumableUploads.Infrastructure;

/// <summary>
/// The time by which uploads expire. It is the time of the system, except after a jump forwards: a wrong clock must not delete every upload at once. The time
/// after a jump applies once the clock has kept it for <see cref="ConfirmationTime"/>, as after a suspension of the machine.
/// </summary>
/// <param name="time">The time provider. Its timestamps tell how much time has passed.</param>
/// <param name="onJump">The action that is called with the size of a jump, or null.</param>
internal sealed class ExpirationClock(TimeProvider time, Action<TimeSpan>? onJump)
{
    /// <summary>The time for which the clock must keep the time after a jump.</summary>
    public static readonly TimeSpan ConfirmationTime = TimeSpan.FromHours(6);

    /// <summary>The difference between two readings, beyond the time that has passed between them, that is not a jump.</summary>
    public static readonly TimeSpan MaxDrift = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private (DateTimeOffset UtcNow, long Timestamp) _trusted = (time.GetUtcNow(), time.GetTimestamp());
    private (DateTimeOffset UtcNow, long Timestamp)? _jump;

    /// <summary>Gets the time by which uploads expire.</summary>
    public DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            (DateTimeOffset UtcNow, long Timestamp) now = (time.GetUtcNow(), time.GetTimestamp());
            DateTimeOffset expected = _trusted.UtcNow + time.GetElapsedTime(_trusted.Timestamp, now.Timestamp);
            if (now.UtcNow - expected > MaxDrift && !IsConfirmed(now, expected))
            {
                return expected;
            }

            (_trusted, _jump) = (now, null);
            return now.UtcNow;
        }
    }

    /// <summary>Returns whether the clock has kept the time after a jump. Another jump begins the confirmation again.</summary>
    private bool IsConfirmed((DateTimeOffset UtcNow, long Timestamp) now, DateTimeOffset expected)
    {
        TimeSpan elapsed = _jump is { } jump ? time.GetElapsedTime(jump.Timestamp, now.Timestamp) : default;
        if (_jump is null || (now.UtcNow - _jump.Value.UtcNow - elapsed).Duration() > MaxDrift)
        {
            _jump = now;
            onJump?.Invoke(now.UtcNow - expected);
            return false;
        }

        return elapsed >= ConfirmationTime;
    }
}
