namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// Lets calls that the page cache is expected to serve run on the threads of their callers, as long as such calls are fast.
/// </summary>
/// <param name="maxRunning">The maximum number of calls at the same time. <see cref="int.MaxValue"/> also admits calls after a slow one.</param>
/// <param name="time">The clock.</param>
internal sealed class InPlaceGate(int maxRunning, TimeProvider time)
{
    /// <summary>The duration from which on a call is slow: far above that of a call that does not wait for a disk.</summary>
    private static readonly TimeSpan SlowCall = TimeSpan.FromMilliseconds(20);

    /// <summary>The time during which no call runs in place after a slow one.</summary>
    private static readonly TimeSpan SlowPeriod = TimeSpan.FromSeconds(5);

    /// <summary>The duration up to which the end of a running call is worth a short wait, because a call on another thread costs more.</summary>
    private static readonly TimeSpan ShortCall = TimeSpan.FromMilliseconds(1);

    private const int MaxSpins = 30;

    private int _running;
    private long _lastStart;
    private long _slowUntil = long.MinValue;

    /// <summary>Returns whether a call may run on the thread of the caller. If so, <see cref="Exit"/> must follow.</summary>
    public bool TryEnter(out long start)
    {
        SpinWait spinner = default;
        while (true)
        {
            start = time.GetTimestamp();
            if (start < Volatile.Read(ref _slowUntil))
            {
                return false;
            }

            if (Interlocked.Increment(ref _running) <= maxRunning)
            {
                Volatile.Write(ref _lastStart, start);
                return true;
            }

            Interlocked.Decrement(ref _running);
            if (spinner.Count >= MaxSpins || time.GetElapsedTime(Volatile.Read(ref _lastStart), start) > ShortCall)
            {
                return false;
            }

            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <param name="start">The time at which the call began.</param>
    public void Exit(long start)
    {
        Interlocked.Decrement(ref _running);
        if (maxRunning != int.MaxValue && time.GetElapsedTime(start) > SlowCall)
        {
            Volatile.Write(ref _slowUntil, time.GetTimestamp() + (long)(SlowPeriod.TotalSeconds * time.TimestampFrequency));
        }
    }
}
