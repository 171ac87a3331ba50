namespace ResumableUploads.CrashHost;

/// <summary>A clock at which no time passes. Leases are never renewed, and the number of system calls does not depend on the speed of the machine.</summary>
internal sealed class StoppedClock : TimeProvider, ITimer
{
    private readonly DateTimeOffset _start = System.GetUtcNow();

    public override DateTimeOffset GetUtcNow() => _start;

    public override long GetTimestamp() => 0;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => this;

    public bool Change(TimeSpan dueTime, TimeSpan period) => true;

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
