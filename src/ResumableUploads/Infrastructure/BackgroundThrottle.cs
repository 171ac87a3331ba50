namespace ResumableUploads.Infrastructure;

/// <summary>Keeps work in the background to a quarter of one core.</summary>
internal sealed class BackgroundThrottle(TimeProvider time)
{
    private const int PauseToWorkRatio = 3;

    /// <summary>Going to rest and being woken cost as much as some records do.</summary>
    private static readonly TimeSpan MinWorkBeforePause = TimeSpan.FromMilliseconds(25);

    /// <summary>What waited for something else than the core, such as a handler of the app, does not have to be made up for.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(100);

    private long _workStarted = time.GetTimestamp();

    /// <summary>To be called often, between small pieces of work: it rests when it is time to.</summary>
    public ValueTask PauseIfNeededAsync(CancellationToken cancellationToken)
    {
        TimeSpan worked = time.GetElapsedTime(_workStarted);
        return worked < MinWorkBeforePause ? ValueTask.CompletedTask : PauseIfNeededAsync(worked * PauseToWorkRatio, cancellationToken);
    }

    private async ValueTask PauseIfNeededAsync(TimeSpan rest, CancellationToken cancellationToken)
    {
        await Task.Delay(rest < MaxPause ? rest : MaxPause, time, cancellationToken);
        _workStarted = time.GetTimestamp();
    }
}
