using System.Collections.Concurrent;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>
/// Counts what the requests of this process do, for an operator, whether or not metrics are collected: the appends that run now, and the preemptions and refusals
/// of the last hour. The memory is bounded: one counter per minute and problem type.
/// </summary>
internal sealed class UploadActivity(TimeProvider time)
{
    /// <summary>The maximum number of problem types. Further ones are counted as <see cref="OtherProblems"/>.</summary>
    public const int MaxProblemTypes = 64;

    public const string OtherProblems = "other";

    private readonly MinuteCounts _preemptions = new(time);
    private readonly ConcurrentDictionary<string, MinuteCounts> _refusals = new(StringComparer.Ordinal);
    private int _activeAppends;

    /// <summary>Gets the number of requests whose content is being stored.</summary>
    public int ActiveAppends => Volatile.Read(ref _activeAppends);

    /// <summary>Gets the number of append requests of the last hour that another request has ended.</summary>
    public long Preemptions => _preemptions.Total;

    /// <summary>Gets the number of requests of the last hour that were answered with a problem, by the last part of the problem type.</summary>
    public IReadOnlyDictionary<string, long> Refusals => _refusals
        .Select(static problem => KeyValuePair.Create(problem.Key, problem.Value.Total))
        .Where(static problem => problem.Value > 0)
        .ToDictionary(StringComparer.Ordinal);

    public void AppendStarted() => Interlocked.Increment(ref _activeAppends);

    public void AppendFinished() => Interlocked.Decrement(ref _activeAppends);

    public void Preempted() => _preemptions.Increment();

    /// <summary>Counts a request that was answered with a problem.</summary>
    /// <param name="problem">The last part of the problem type.</param>
    public void Refused(string problem)
    {
        if (!_refusals.TryGetValue(problem, out MinuteCounts? counts))
        {
            counts = _refusals.GetOrAdd(
                _refusals.Count < MaxProblemTypes - 1 ? problem : OtherProblems, static (_, time) => new MinuteCounts(time), time);
        }

        counts.Increment();
    }

    /// <summary>A ring of one counter per minute of the last hour.</summary>
    private sealed class MinuteCounts(TimeProvider time)
    {
        private const int Minutes = 60;

        private readonly long _start = time.GetTimestamp();
        private readonly long[] _counts = new long[Minutes];
        private readonly Lock _lock = new();
        private long _minute;

        /// <summary>Gets the number of the last hour.</summary>
        public long Total
        {
            get
            {
                lock (_lock)
                {
                    Advance();
                    return _counts.Sum();
                }
            }
        }

        public void Increment()
        {
            lock (_lock)
            {
                Advance();
                _counts[_minute % Minutes]++;
            }
        }

        /// <summary>Clears the counters of the minutes that have begun since the last call.</summary>
        private void Advance()
        {
            long now = (long)time.GetElapsedTime(_start).TotalMinutes;
            for (long minute = Math.Max(_minute, now - Minutes) + 1; minute <= now; minute++)
            {
                _counts[minute % Minutes] = 0;
            }

            _minute = Math.Max(_minute, now);
        }
    }
}
