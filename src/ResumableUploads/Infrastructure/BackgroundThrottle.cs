namespace ResumableUploads.Infrastructure;

/// <summary>Limits background work to a quarter of one CPU core.</summary>
internal sealed class BackgroundThrottle(TimeProvider time)
{
    private const int PauseToWorkRatio = 3;

    /// <summary>A pause has a fixed cost of its own, so many small pieces of work share one.</summary>
    private static readonly TimeSpan MinWorkBeforePause = TimeSpan.FromMilliseconds(25);

    /// <summary>Bounds the pause after work that mostly waited, for example for a completion handler, and used little CPU time.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(100);

    private long _workStartTimestamp = time.GetTimestamp();

    /// <summary>Pauses if enough work was done since the last pause. Call it between small pieces of work.</summary>
    public ValueTask PauseIfNeededAsync(CancellationToken cancellationToken)
    {
        TimeSpan worked = time.GetElapsedTime(_workStartTimestamp);
        return worked < MinWorkBeforePause ? ValueTask.CompletedTask : PauseAsync(worked * PauseToWorkRatio, cancellationToken);
    }

    private async ValueTask PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        await Task.Delay(pause < MaxPause ? pause : MaxPause, time, cancellationToken);
        _workStartTimestamp = time.GetTimestamp();
    }
}
