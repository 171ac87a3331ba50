using System.Security.Cryptography;

namespace ResumableUploads.Infrastructure;

/// <summary>Waits between the attempts of an operation: each wait is twice as long as the one before, until a deadline.</summary>
/// <param name="time">The clock.</param>
/// <param name="timeout">The time after which <see cref="WaitAsync"/> returns false.</param>
/// <param name="maxDelay">The maximum time of one wait.</param>
internal sealed class Backoff(TimeProvider time, TimeSpan timeout, TimeSpan maxDelay)
{
    /// <summary>The largest factor by which <see cref="AddJitter"/> changes a delay.</summary>
    public const double MaxJitter = 1.2;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(10);
    private readonly long _startTimestamp = time.GetTimestamp();
    private int _waits;

    /// <summary>Gets the time until the deadline, or zero if it has passed.</summary>
    public TimeSpan Remaining => Max(timeout - time.GetElapsedTime(_startTimestamp), TimeSpan.Zero);

    /// <summary>Waits before the next attempt.</summary>
    /// <returns>False, without waiting, if the deadline has passed.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan remaining = Remaining;
        if (remaining == TimeSpan.Zero)
        {
            return false;
        }

        // A remainder of less than a millisecond would be rounded to no wait at all.
        TimeSpan delay = Min(GetDelay(FirstDelay, maxDelay, ++_waits), remaining);
        await Task.Delay(Max(delay, TimeSpan.FromMilliseconds(1)), time, cancellationToken);
        return true;
    }

    /// <summary>Returns the delay after a number of failures: the first delay, doubled after each further failure, up to the maximum.</summary>
    public static TimeSpan GetDelay(TimeSpan first, TimeSpan max, int failures)
    {
        double ticks = first.Ticks * Math.Pow(2, Math.Min(failures - 1, 62));
        return ticks < max.Ticks ? TimeSpan.FromTicks((long)ticks) : max;
    }

    /// <summary>Returns the delay changed by up to 20% at random, so that uploads that failed together are not all retried together.</summary>
    public static TimeSpan AddJitter(TimeSpan delay) => delay * (RandomNumberGenerator.GetInt32(800, 1201) / 1000.0);

    private static TimeSpan Min(TimeSpan x, TimeSpan y) => x < y ? x : y;

    private static TimeSpan Max(TimeSpan x, TimeSpan y) => x > y ? x : y;
}
