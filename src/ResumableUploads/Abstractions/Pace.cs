namespace ResumableUploads.Abstractions;

/// <summary>Keeps work in the background to a quarter of one core.</summary>
internal sealed class Pace(TimeProvider time)
{
    private const int RestsForWork = 3;

    /// <summary>Going to rest and being woken cost as much as some records do.</summary>
    private static readonly TimeSpan WorkAtOnce = TimeSpan.FromMilliseconds(25);

    /// <summary>What waited for something else than the core, such as a handler of the app, does not have to be made up for.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(100);

    private long _began = time.GetTimestamp();

    /// <summary>To be called often, between small pieces of work: it rests when it is time to.</summary>
    public ValueTask RestAsync(CancellationToken cancellationToken)
    {
        TimeSpan worked = time.GetElapsedTime(_began);
        return worked < WorkAtOnce ? ValueTask.CompletedTask : RestAsync(worked * RestsForWork, cancellationToken);
    }

    private async ValueTask RestAsync(TimeSpan rest, CancellationToken cancellationToken)
    {
        await Task.Delay(rest < LongestRest ? rest : LongestRest, time, cancellationToken).ConfigureAwait(false);
        _began = time.GetTimestamp();
    }
}
