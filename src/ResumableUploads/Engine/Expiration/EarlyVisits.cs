using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The uploads that one engine visits before the next sweep, because another process works on them and may have died, or is to finish them.</summary>
/// <param name="time">The time provider, of which only the timestamps are used.</param>
/// <param name="maxCount">The maximum number of uploads. The next sweep visits the others.</param>
internal sealed class EarlyVisits(TimeProvider time, int maxCount = 1_000)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, Visit> _visits = [];

    /// <summary>Adds a visit, unless one of the upload is due earlier.</summary>
    public void Add(UploadKey key, TimeSpan delay)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (_visits.TryGetValue(key, out Visit visit) ? visit.GetRemaining(time, now) > delay : _visits.Count < maxCount)
            {
                _visits[key] = new Visit(now, delay);
            }
        }
    }

    /// <summary>Removes and returns the uploads whose visit is due.</summary>
    public UploadKey[] TakeDue()
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            UploadKey[] due = [.. _visits.Where(entry => entry.Value.GetRemaining(time, now) <= TimeSpan.Zero).Select(static entry => entry.Key)];
            foreach (UploadKey key in due)
            {
                _visits.Remove(key);
            }

            return due;
        }
    }

    private readonly record struct Visit(long Added, TimeSpan Delay)
    {
        public TimeSpan GetRemaining(TimeProvider time, long now) => Delay - time.GetElapsedTime(Added, now);
    }
}
