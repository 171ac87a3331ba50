namespace ResumableUploads.Testing;

/// <summary>Waits for something that another thread does, and gives up loudly.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <param name="condition">What has to become true.</param>
    /// <param name="what">It in words.</param>
    /// <param name="each">Done before each look, to move a fake clock for example.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, Action? each = null)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            each?.Invoke();
            if (await condition())
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"It never came true that {what}.");
            await Task.Delay(Step, TimeProvider.System);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string what, Action? each = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, each);

    /// <summary>The result of a task that has to end soon.</summary>
    public static Task<T> WithinAsync<T>(Task<T> task) => task.WaitAsync(Patience, TimeProvider.System);

    public static Task WithinAsync(Task task) => task.WaitAsync(Patience, TimeProvider.System);
}
