using Microsoft.Extensions.Time.Testing;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>A clock whose time of the day can change while no time passes, as after a change of the system time.</summary>
internal sealed class JumpingTimeProvider : TimeProvider
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    public override long TimestampFrequency => _time.TimestampFrequency;

    /// <summary>Gets or sets the difference between the time of the day and the right one.</summary>
    public TimeSpan Error { get; set; }

    public void Advance(TimeSpan time) => _time.Advance(time);

    public override DateTimeOffset GetUtcNow() => _time.GetUtcNow() + Error;

    public override long GetTimestamp() => _time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _time.CreateTimer(callback, state, dueTime, period);
}
