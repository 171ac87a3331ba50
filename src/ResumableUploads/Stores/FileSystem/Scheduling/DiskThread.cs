namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>A thread of a scheduler. It runs calls until none has come for a while.</summary>
internal sealed class DiskThread(DiskScheduler scheduler, string name)
{
    /// <summary>Large enough for the deepest call, small because there can be hundreds of threads.</summary>
    private const int StackSize = 512 * 1024;

    [ThreadStatic]
    private static string? _currentLane;

    // Monitor has a wait with a timeout; the framework's Lock has none.
    private readonly object _monitor = new();
    private bool _isStarted;
    private bool _mustContinue;

    /// <summary>Gets the lane of the call that runs on the current thread, or null if it is no thread of a scheduler.</summary>
    public static string? CurrentLane => _currentLane;

    /// <summary>Starts the thread, or ends its wait.</summary>
    /// <exception cref="OutOfMemoryException">The system has no more threads.</exception>
    public void Continue()
    {
        if (_isStarted)
        {
            lock (_monitor)
            {
                _mustContinue = true;
                Monitor.Pulse(_monitor);
            }

            return;
        }

        _isStarted = true;
        scheduler.StartThread(new Thread(Run, StackSize) { IsBackground = true, Name = name });
    }

    /// <summary>Waits for <see cref="Continue"/>. Returns false after the timeout.</summary>
    public bool Wait(TimeSpan timeout)
    {
        lock (_monitor)
        {
            if (!_mustContinue)
            {
                Monitor.Wait(_monitor, timeout);
            }

            bool result = _mustContinue;
            _mustContinue = false;
            return result;
        }
    }

    private void Run()
    {
        // A waiting thread keeps no call, because that would keep the objects of its request.
        DiskLane? previous = null;
        while (scheduler.TryGetNext(this, previous, out DiskCall? call))
        {
            previous = call.Lane;
            _currentLane = previous.Key.Name;
            call.Run();
        }
    }
}
