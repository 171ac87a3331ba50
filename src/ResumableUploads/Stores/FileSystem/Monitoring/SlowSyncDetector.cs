using Microsoft.Extensions.Logging;

namespace ResumableUploads.Stores.FileSystem.Monitoring;

/// <summary>Logs when most syncs of a minute were slow, and when they are fast again. It has no timer: the sync that ends a minute is the one that logs.</summary>
internal sealed class SlowSyncDetector(string directory, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan SlowSync = TimeSpan.FromMilliseconds(500);

    /// <summary>The duration up to which a sync probably had nothing to write. Such syncs are frequent and say nothing about the disk.</summary>
    private static readonly TimeSpan EmptySync = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    /// <summary>The minimum time between two warnings.</summary>
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private SyncPeriod _period;
    private long? _lastWarning;
    private bool _isSlow;

    /// <summary>Adds a sync that has just ended.</summary>
    public void Add(TimeSpan duration)
    {
        SyncPeriod ended;
        TimeSpan length;
        lock (_lock)
        {
            long now = time.GetTimestamp();
            _period = _period.Add(duration, now - (long)(duration.TotalSeconds * time.TimestampFrequency));
            length = time.GetElapsedTime(_period.Start!.Value, now);
            if (length < Period)
            {
                return;
            }

            ended = _period;
            _period = default;
            if (ended.IsSlow)
            {
                if (_lastWarning is { } last && time.GetElapsedTime(last, now) < WarningInterval)
                {
                    return;
                }

                _lastWarning = now;
            }
            else if (!_isSlow)
            {
                return;
            }

            _isSlow = ended.IsSlow;
        }

        if (ended.IsSlow)
        {
            Log.SyncsSlow(logger, directory, ended.SlowCount, ended.Count, (long)length.TotalSeconds, (long)SlowSync.TotalMilliseconds, (long)ended.Slowest.TotalMilliseconds);
        }
        else
        {
            Log.SyncsFastAgain(logger, directory, ended.SlowCount, ended.Count, (long)length.TotalSeconds, (long)SlowSync.TotalMilliseconds);
        }
    }

    /// <param name="Start">The time at which the first sync began, or null if there is none.</param>
    /// <param name="Count">The number of syncs that were not empty.</param>
    /// <param name="SlowCount">The number of slow syncs.</param>
    /// <param name="Slowest">The longest duration.</param>
    private readonly record struct SyncPeriod(long? Start, int Count, int SlowCount, TimeSpan Slowest)
    {
        public bool IsSlow => SlowCount * 2 > Count;

        public SyncPeriod Add(TimeSpan duration, long start) => new(
            Start ?? start,
            Count + (duration >= EmptySync ? 1 : 0),
            SlowCount + (duration > SlowSync ? 1 : 0),
            duration > Slowest ? duration : Slowest);
    }
}
