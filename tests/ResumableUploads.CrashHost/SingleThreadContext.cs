using System.Collections.Concurrent;

namespace ResumableUploads.CrashHost;

/// <summary>Runs asynchronous work, with all its continuations, on the thread of the caller.</summary>
internal sealed class SingleThreadContext : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _queue = [];

    public override void Post(SendOrPostCallback d, object? state) => _queue.Add((d, state));

    public void Run(Func<Task> work)
    {
        SetSynchronizationContext(this);
        Task task = work();
        _ = task.ContinueWith(_ => _queue.CompleteAdding(), TaskScheduler.Default);
        foreach ((SendOrPostCallback callback, object? state) in _queue.GetConsumingEnumerable())
        {
            callback(state);
        }

        task.GetAwaiter().GetResult();
    }

    public void Dispose() => _queue.Dispose();
}
