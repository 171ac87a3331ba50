namespace ResumableUploads.Cli.Output;

/// <summary>Measures bytes per second over the last seconds.</summary>
internal sealed class RateMeter(TimeProvider timeProvider)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(200);

    private readonly Queue<(long Timestamp, long Total)> _samples = new();
    private long _total;
    private long _newest;

    /// <summary>Adds bytes. A negative number, for bytes that have to be sent again, is ignored.</summary>
    public void Add(long bytes)
    {
        long now = timeProvider.GetTimestamp();
        if (_samples.Count == 0)
        {
            _samples.Enqueue((now, 0));
        }

        _total += Math.Max(0, bytes);
        if (timeProvider.GetElapsedTime(_newest, now) >= MinInterval)
        {
            _samples.Enqueue((now, _total));
            _newest = now;
        }

        while (_samples.Count > 2 && timeProvider.GetElapsedTime(_samples.Peek().Timestamp, now) > Window)
        {
            _samples.Dequeue();
        }
    }

    /// <summary>Returns the bytes per second, or null before it can be measured.</summary>
    public double? GetRate()
    {
        if (_samples.Count == 0)
        {
            return null;
        }

        (long timestamp, long total) = _samples.Peek();
        double seconds = timeProvider.GetElapsedTime(timestamp).TotalSeconds;
        return seconds < 1 ? null : (_total - total) / seconds;
    }
}
