namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>Runs a scenario in many schedules.</summary>
internal static class Exploration
{
    private static readonly TimeSpan ShortGrace = TimeSpan.FromMicroseconds(50);
    private static readonly TimeSpan LongGrace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TimeLimitOfPlantedRace = TimeSpan.FromSeconds(40);

    /// <summary>
    /// Asserts that a scenario succeeds in every schedule. To debug a failure, run <see cref="InterleavingScheduler.Run"/> with the seed in the message.
    /// </summary>
    public static async Task AssertNoRaceAsync(int schedules, Func<InterleavingScheduler, Task> scenario)
    {
        (string? failure, int run, int different) = await ExploreAsync(schedules, TimeLimit, isPlanted: false, scenario);
        TestContext.Current.TestOutputHelper?.WriteLine($"{different} different schedules of {run}.");
        Assert.True(failure is null, failure);
        Assert.InRange(different, run / 4, run);
    }

    /// <summary>Asserts that a planted race lets a scenario fail in a schedule.</summary>
    public static async Task AssertRaceIsFoundAsync(int schedules, Func<InterleavingScheduler, Task> scenario, string expected)
    {
        (string? failure, int run, _) = await ExploreAsync(schedules, TimeLimitOfPlantedRace, isPlanted: true, scenario);
        TestContext.Current.TestOutputHelper?.WriteLine($"{run - 1} schedules succeeded.\n{failure}");
        Assert.NotNull(failure);
        Assert.Contains(expected, failure, StringComparison.Ordinal);
    }

    /// <summary>
    /// Runs schedules until one fails, or the time is over on a busy machine. The thread has no queue of its own in the thread pool, unlike the threads of the
    /// pool.
    /// </summary>
    private static Task<(string? Failure, int Run, int Different)> ExploreAsync(
        int schedules, TimeSpan timeLimit, bool isPlanted, Func<InterleavingScheduler, Task> scenario) => Task.Factory.StartNew(
        () =>
        {
            var seen = new HashSet<int>();
            long start = TimeProvider.System.GetTimestamp();
            int seed = 0;
            for (; seed < schedules && TimeProvider.System.GetElapsedTime(start) < timeLimit; seed++)
            {
                if (FailureOf(seed, ShortGrace, scenario, seen) is not null && ConfirmedFailureOf(seed, isPlanted, scenario, seen) is { } failure)
                {
                    return (failure, seed + 1, seen.Count);
                }
            }

            return ((string?)null, seed, seen.Count);
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>
    /// Repeats a schedule that failed, with so much time that a failure is one. On a busy machine, the clock may have been advanced before a callback on the
    /// thread pool had ended. A race is in the schedule, so it fails again each time: one success shows that there is none.
    /// </summary>
    /// <param name="seed">The seed of the schedule.</param>
    /// <param name="isPlanted">Whether the race is known to exist. Then one failure confirms it.</param>
    /// <param name="scenario">The scenario.</param>
    /// <param name="seen">The schedules that have succeeded.</param>
    private static string? ConfirmedFailureOf(int seed, bool isPlanted, Func<InterleavingScheduler, Task> scenario, HashSet<int> seen)
    {
        string? failure = null;
        for (int i = 0; i < 3; i++)
        {
            failure = FailureOf(seed, LongGrace, scenario, seen);
            if ((failure is null) != isPlanted)
            {
                break;
            }
        }

        return failure;
    }

    private static string? FailureOf(int seed, TimeSpan grace, Func<InterleavingScheduler, Task> scenario, HashSet<int> seen)
    {
        try
        {
            seen.Add(InterleavingScheduler.Run(seed, grace, scenario));
            return null;
        }
        catch (Exception e)
        {
            return $"Schedule {seed}: {e.Message}\n{e.StackTrace}";
        }
    }
}
