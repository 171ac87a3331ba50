using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>
/// Decides whether the leases in the rows are over. A lease is over when its row has not changed for the duration of a lease, on the monotonic clock of the
/// process that observes it: the wall clocks of two processes can differ, and can be set.
/// </summary>
internal sealed class LeaseObserver(TimeProvider timeProvider, TimeSpan duration)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, (string Holder, long Renewal, long Timestamp)> _observed = [];

    public bool IsLeased(UploadRow row)
    {
        lock (_lock)
        {
            if (row.LeaseHolder is not { } holder)
            {
                _observed.Remove(row.Key);
                return false;
            }

            if (_observed.TryGetValue(row.Key, out (string Holder, long Renewal, long Timestamp) seen) && (seen.Holder, seen.Renewal) == (holder, row.LeaseRenewal))
            {
                return timeProvider.GetElapsedTime(seen.Timestamp) < duration;
            }

            _observed[row.Key] = (holder, row.LeaseRenewal, timeProvider.GetTimestamp());
            return true;
        }
    }
}
