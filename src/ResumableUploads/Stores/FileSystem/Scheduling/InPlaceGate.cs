namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// Lets calls that the page cache is expected to serve run on the threads of their callers. After a slow call, counts the waits of further calls: a slow call
/// that has waited closes the gate for a while.
/// </summary>
/// <param name="maxRunning">The maximum number of concurrent calls. With <see cref="int.MaxValue"/>, the gate never closes.</param>
/// <param name="time">The clock.</param>
/// <param name="getWaitCount">Returns the number of voluntary context switches of the current thread.</param>
internal sealed class InPlaceGate(int maxRunning, TimeProvider time, Func<long> getWaitCount)
{
    /// <summary>The duration from which on a call is slow: far above that of a call that does not wait for a disk.</summary>
    private static readonly TimeSpan SlowCall = TimeSpan.FromMilliseconds(20);

    /// <summary>The duration of an examination, and the time for which the gate stays closed after a slow call that has waited.</summary>
    private static readonly TimeSpan SlowPeriod = TimeSpan.FromSeconds(5);

    /// <summary>The maximum number of spins while the gate is full. They take less time than a switch to another thread.</summary>
    private const int MaxSpins = 30;

    private int _running;
    private long _slowUntil = long.MinValue;

    /// <summary>The end of the period in which the waits of calls are counted, to tell a slow disk from a busy processor.</summary>
    private long _examinedUntil = long.MinValue;

    /// <summary>Returns whether a call may run on the thread of the caller. Spins briefly while the gate is full. If so, <see cref="Exit"/> must follow on the same thread.</summary>
    public bool TryEnter(out InPlaceCall call)
    {
        call = default;
        SpinWait spinner = default;
        while (true)
        {
            long start = time.GetTimestamp();
            if (start < Volatile.Read(ref _slowUntil))
            {
                return false;
            }

            if (Interlocked.Increment(ref _running) <= maxRunning)
            {
                call = new InPlaceCall(start, start < Volatile.Read(ref _examinedUntil) ? getWaitCount() : null);
                return true;
            }

            Interlocked.Decrement(ref _running);
            if (spinner.Count >= MaxSpins)
            {
                return false;
            }

            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Ends a call, and evaluates its duration.</summary>
    /// <param name="call">The result of <see cref="TryEnter"/>.</param>
    public void Exit(InPlaceCall call)
    {
        Interlocked.Decrement(ref _running);
        if (maxRunning == int.MaxValue || time.GetElapsedTime(call.Start) <= SlowCall)
        {
            return;
        }

        bool hasWaited = call.WaitCount is { } before && getWaitCount() != before;
        long periodEnd = GetEnd(SlowPeriod);
        if (hasWaited)
        {
            Volatile.Write(ref _slowUntil, periodEnd);
        }

        // After the gate has opened again, the first slow call closes it.
        Volatile.Write(ref _examinedUntil, hasWaited ? GetEnd(2 * SlowPeriod) : Math.Max(periodEnd, Volatile.Read(ref _examinedUntil)));
    }

    private long GetEnd(TimeSpan period) => time.GetTimestamp() + (long)(period.TotalSeconds * time.TimestampFrequency);
}

/// <summary>A call that runs on the thread of its caller.</summary>
/// <param name="Start">The time at which the call began.</param>
/// <param name="WaitCount">How often the thread had waited before, or null if the call is not examined.</param>
internal readonly record struct InPlaceCall(long Start, long? WaitCount);
