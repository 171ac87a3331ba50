using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>Sleeps for a part of a millisecond, which <see cref="Thread"/> cannot.</summary>
internal static class PreciseSleep
{
    /// <summary>Sleeps until a timestamp of <see cref="Stopwatch"/>, or not at all if it has passed.</summary>
    public static void Until(long timestamp)
    {
        TimeSpan wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp);
        if (wait > TimeSpan.Zero)
        {
            _ = Usleep((uint)wait.TotalMicroseconds);
        }
    }

    /// <summary>Returns the timestamp that is a time after another one.</summary>
    public static long After(long timestamp, TimeSpan time) => timestamp + (long)(time.TotalSeconds * Stopwatch.Frequency);

    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int Usleep(uint microseconds);
}
