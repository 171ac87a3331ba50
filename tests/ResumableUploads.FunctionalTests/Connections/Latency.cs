using System.Globalization;
using Microsoft.Extensions.Time.Testing;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>
/// Asserts that a request does not wait for a timer. The clock of the app stands still, so that a request that waits for a timer of the app does not end at
/// all. Other timers are covered by a limit for the lowest of several response times, because a busy machine can only increase them.
/// </summary>
internal static class Latency
{
    private const int Rounds = 20;
    private const int WarmupRounds = 5;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Returns a clock that stands still.</summary>
    public static TimeProvider StoppedClock() => new FakeTimeProvider(TimeProvider.System.GetUtcNow());

    /// <summary>Measures a request several times, and writes the result to the test output.</summary>
    /// <param name="what">The request, in words.</param>
    /// <param name="measureAsync">A function that sends the request number n and returns its response time.</param>
    public static async Task<TimeSpan> LowestAsync(string what, Func<int, Task<TimeSpan>> measureAsync)
    {
        var times = new List<TimeSpan>();
        for (int i = 0; i < WarmupRounds + Rounds; i++)
        {
            TimeSpan time = await measureAsync(i);
            if (i >= WarmupRounds)
            {
                times.Add(time);
            }
        }

        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: lowest {times[0].TotalMilliseconds:F2} ms, median {times[Rounds / 2].TotalMilliseconds:F2} ms, highest {times[^1].TotalMilliseconds:F2} ms"));
        return times[0];
    }

    /// <summary>Measures a request several times, and asserts that the lowest response time is below the limit.</summary>
    public static async Task AssertAsync(string what, Func<int, Task<TimeSpan>> measureAsync) =>
        Assert.InRange(await LowestAsync(what, measureAsync), TimeSpan.Zero, Limit);

    /// <summary>Returns the time that a request takes.</summary>
    public static async Task<TimeSpan> OfAsync(Func<Task> sendAsync)
    {
        long start = TimeProvider.System.GetTimestamp();
        await sendAsync();
        return TimeProvider.System.GetElapsedTime(start);
    }
}
