using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Completion;

/// <summary>
/// Observes the leases of other processes by the monotonic clock of this one. The wall clocks of two machines may differ by any time, so no time
/// in a record is compared: a lease has ended when the version of the upload has stayed the same for the lease duration.
/// </summary>
/// <param name="time">The time provider, of which only the timestamps are used.</param>
/// <param name="maxCount">The maximum number of uploads that are observed at the same time. Others count as just changed.</param>
internal sealed class LeaseObserver(TimeProvider time, int maxCount = 10_000)
{
    /// <summary>The time after which an observation that was not needed is removed if there are too many: the upload is completed or deleted.</summary>
    private static readonly TimeSpan UnusedAfter = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, Observation> _observations = [];

    /// <summary>Returns how long ago this process first saw the version of an upload. The first call for a version starts its observation and returns zero.</summary>
    /// <param name="info">The upload with its lease. A change that follows must be conditional on its version.</param>
    public TimeSpan GetUnchangedTime(UploadInfo info)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            bool isKnown = _observations.TryGetValue(info.Key, out Observation observation);
            if (isKnown && observation.Version == info.Version)
            {
                _observations[info.Key] = observation with { LastRequested = now };
                return time.GetElapsedTime(observation.FirstSeen, now);
            }

            if (isKnown || _observations.Count < maxCount || RemoveUnused(now))
            {
                _observations[info.Key] = new Observation(info.Version, now, now);
            }

            return TimeSpan.Zero;
        }
    }

    private bool RemoveUnused(long now)
    {
        foreach ((UploadKey key, Observation observation) in _observations)
        {
            if (time.GetElapsedTime(observation.LastRequested, now) >= UnusedAfter)
            {
                _observations.Remove(key);
            }
        }

        return _observations.Count < maxCount;
    }

    private readonly record struct Observation(string Version, long FirstSeen, long LastRequested);
}
