using System.Collections.Concurrent;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>Runs blocking calls on threads of its own. A new thread is started when all others are busy, and threads are kept.</summary>
internal sealed class SyncThreads
{
    private readonly BlockingCollection<Action> _actions = [];
    private int _free;

    public Task RunAsync(Action action)
    {
        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.Decrement(ref _free) < 0)
        {
            Interlocked.Increment(ref _free);
            new Thread(Work) { IsBackground = true }.UnsafeStart();
        }

        _actions.Add(() =>
        {
            try
            {
                action();
                completion.SetResult();
            }
            catch (Exception e)
            {
                completion.SetException(e);
            }
        });
        return completion.Task;
    }

    private void Work()
    {
        foreach (Action action in _actions.GetConsumingEnumerable())
        {
            action();
            Interlocked.Increment(ref _free);
        }
    }
}
