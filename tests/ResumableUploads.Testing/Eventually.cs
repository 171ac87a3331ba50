namespace ResumableUploads.Testing;

/// <summary>Waits for a condition that another thread fulfills, and fails the test after a timeout.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan TestTimeout = TimeSpan.FromMinutes(2);

    /// <param name="condition">The condition.</param>
    /// <param name="what">The condition in words, for the failure message.</param>
    /// <param name="beforeCheck">Runs before each check, for example to advance a fake clock.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, Action? beforeCheck = null)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            beforeCheck?.Invoke();
            if (await condition())
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < TestTimeout, $"Timed out waiting until {what}.");
            await Task.Delay(Step, TimeProvider.System);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string what, Action? beforeCheck = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, beforeCheck);

    /// <summary>Returns the result of a task, or fails after a timeout.</summary>
    public static Task<T> WithinAsync<T>(Task<T> task) => task.WaitAsync(TestTimeout, TimeProvider.System);

    public static Task WithinAsync(Task task) => task.WaitAsync(TestTimeout, TimeProvider.System);
}
