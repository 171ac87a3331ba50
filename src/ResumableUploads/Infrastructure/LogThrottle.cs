namespace ResumableUploads.Infrastructure;

/// <summary>Limits how often failures of one kind are logged, so that a storage that fails for every request does not fill the log.</summary>
/// <typeparam name="TKind">The type of the kinds, which has few values.</typeparam>
internal sealed class LogThrottle<TKind>(TimeProvider time, TimeSpan interval)
    where TKind : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKind, (long Logged, int Skipped)> _kinds = [];

    /// <summary>Adds a failure.</summary>
    /// <param name="kind">The kind of the failure.</param>
    /// <param name="skipped">The number of failures of the kind that were skipped since the last one that was logged.</param>
    /// <returns>True if the failure is to be logged.</returns>
    public bool TryEnter(TKind kind, out int skipped)
    {
        long now = time.GetTimestamp();
        lock (_lock)
        {
            bool isKnown = _kinds.TryGetValue(kind, out (long Logged, int Skipped) last);
            skipped = last.Skipped;
            bool isLogged = !isKnown || time.GetElapsedTime(last.Logged, now) >= interval;
            _kinds[kind] = isLogged ? (now, 0) : (last.Logged, last.Skipped + 1);
            return isLogged;
        }
    }
}
