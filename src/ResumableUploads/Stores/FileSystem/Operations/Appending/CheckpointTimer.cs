namespace ResumableUploads.Stores.FileSystem.Operations.Appending;

/// <summary>A timer that one append uses for all of its reads.</summary>
internal sealed class CheckpointTimer(TimeProvider time) : IDisposable
{
    private ITimer? _timer;
    private TaskCompletionSource? _elapsed;

    /// <summary>Returns a task that completes after a delay. A running timer is not restarted: the caller checks what is due.</summary>
    public Task StartAsync(TimeSpan delay)
    {
        if (_elapsed is { Task.IsCompleted: false } running)
        {
            return running.Task;
        }

        _elapsed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _timer?.Dispose();
        _timer = time.CreateTimer(static elapsed => ((TaskCompletionSource)elapsed!).TrySetResult(), _elapsed, delay, Timeout.InfiniteTimeSpan);
        return _elapsed.Task;
    }

    public void Dispose() => _timer?.Dispose();
}
