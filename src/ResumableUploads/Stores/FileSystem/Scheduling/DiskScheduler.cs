using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// Runs calls that may wait for a disk on threads of its own, so that a slow disk does not occupy the threads of the application. Lanes get threads
/// round-robin, and one lane gets at most a quarter of the threads: calls that hang do not hold up those of other lanes. The calls of a lane that are not
/// expected to wait for the disk, and the syncs that an operation runs at the same time, have lanes of their own.
/// </summary>
/// <param name="name">The name of the threads.</param>
/// <param name="maxThreads">The maximum number of threads. If it is 0, all calls run on the threads of their callers.</param>
/// <param name="time">The clock.</param>
internal sealed class DiskScheduler(string name, int maxThreads, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly InPlaceGate _reads = new(maxThreads == 0 ? int.MaxValue : Environment.ProcessorCount, time, ThreadWaits.GetCount);
    private readonly InPlaceGate _writes = new(maxThreads == 0 ? int.MaxValue : Math.Max(1, Environment.ProcessorCount - 1), time, ThreadWaits.GetCount);
    private readonly Dictionary<DiskLaneKey, DiskLane> _lanes = [];
    private readonly Queue<DiskLane> _ready = new();

    // The thread that became idle last is the first to get work, so that the others can end.
    private readonly List<DiskThread> _idle = [];
    private int _threadCount;
    private int _queueLength;

    /// <summary>Gets the time after which an idle thread ends.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets the action that starts a thread.</summary>
    public Action<Thread> StartThread { get; init; } = static thread => thread.UnsafeStart();

    private int MaxThreadsPerLane => Math.Max(1, maxThreads / 4);

    /// <summary>Gets whether calls may run on threads of their own.</summary>
    public bool HasThreads => maxThreads > 0;

    /// <summary>Gets the number of threads.</summary>
    public int ThreadCount
    {
        get
        {
            lock (_lock)
            {
                return _threadCount;
            }
        }
    }

    /// <summary>Gets the number of threads that run a call.</summary>
    public int BusyThreadCount
    {
        get
        {
            lock (_lock)
            {
                return _threadCount - _idle.Count;
            }
        }
    }

    /// <summary>Gets the maximum number of threads.</summary>
    public int MaxThreads => maxThreads;

    /// <summary>Gets the number of calls that wait for a thread.</summary>
    public int QueueLength
    {
        get
        {
            lock (_lock)
            {
                return _queueLength;
            }
        }
    }

    /// <summary>Gets how long the oldest queued call has waited for a thread.</summary>
    public TimeSpan LongestWait
    {
        get
        {
            long now = time.GetTimestamp();
            lock (_lock)
            {
                long oldest = _lanes.Values.Min(static lane => lane.Waiting.First?.Value.QueuedTimestamp) ?? now;
                return time.GetElapsedTime(Math.Min(oldest, now), now);
            }
        }
    }

    /// <summary>Runs a call on a thread of its own, or on the thread of the caller if it is not expected to block.</summary>
    /// <param name="options">How the call is scheduled.</param>
    /// <param name="state">The argument of the call.</param>
    /// <param name="call">The call.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="OperationCanceledException">The token was canceled before the call began, or the call was abandoned.</exception>
    public ValueTask<T> RunAsync<TState, T>(DiskCallOptions options, TState state, Func<TState, T> call, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        InPlaceGate? gate = options.Kind == DiskCallKind.Read ? _reads : options.Kind == DiskCallKind.Cached || maxThreads == 0 ? _writes : null;
        DiskLaneKind lane = options.Kind == DiskCallKind.Device ? DiskLaneKind.Device : DiskLaneKind.Cached;
        if (gate is not null && gate.TryEnter(out InPlaceCall running))
        {
            try
            {
                return new ValueTask<T>(call(state));
            }
            catch (DiskThreadRequiredException)
            {
                lane = DiskLaneKind.Device;
            }
            catch (Exception e)
            {
                return ValueTask.FromException<T>(e);
            }
            finally
            {
                gate.Exit(running);
            }
        }

        DiskCall<TState, T> queued = Enqueue(new DiskLaneKey(options.Lane, lane), state, call);
        return cancellationToken.CanBeCanceled && !queued.Task.IsCompleted
            ? WaitAsync(queued, options.AbandonDelay, cancellationToken)
            : new ValueTask<T>(queued.Task);
    }

    /// <summary>Runs a call on the thread of the caller. Returns false if it might block, and was not run.</summary>
    public bool TryRunInPlace<TState>(TState state, Action<TState> call)
    {
        if (!_writes.TryEnter(out InPlaceCall running))
        {
            return false;
        }

        try
        {
            call(state);
            return true;
        }
        finally
        {
            _writes.Exit(running);
        }
    }

    /// <summary>Waits for the next call.</summary>
    /// <param name="thread">The thread that runs it.</param>
    /// <param name="previous">The lane of the call that the thread has ended, or null.</param>
    /// <param name="next">The next call.</param>
    /// <returns>False if the thread must end.</returns>
    internal bool TryGetNext(DiskThread thread, DiskLane? previous, [NotNullWhen(true)] out DiskCall? next)
    {
        while (!TryBeginNext(thread, previous, out next))
        {
            previous = null;
            if (!thread.Wait(IdleTimeout))
            {
                if (TryEnd(thread))
                {
                    return false;
                }

                // The thread was given work at the same time, and is about to be notified.
                thread.Wait(Timeout.InfiniteTimeSpan);
            }
        }

        return true;
    }

    /// <summary>Queues a call that runs on a thread of the scheduler.</summary>
    internal DiskCall<TState, T> Enqueue<TState, T>(DiskLaneKey key, TState state, Func<TState, T> call)
    {
        DiskThread? helper;
        DiskCall<TState, T> queued;
        lock (_lock)
        {
            if (!_lanes.TryGetValue(key, out DiskLane? lane))
            {
                lane = new DiskLane(key);
                _lanes.Add(key, lane);
            }

            queued = new DiskCall<TState, T>(lane, state, call) { QueuedTimestamp = time.GetTimestamp() };
            queued.QueueEntry = lane.Waiting.AddLast(queued);
            _queueLength++;
            MakeReady(lane);
            helper = TakeThreadIfNeeded();
        }

        Continue(helper);
        return queued;
    }

    private async ValueTask<T> WaitAsync<TState, T>(DiskCall<TState, T> call, TimeSpan? abandonDelay, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (scheduler, call, delay) = ((DiskScheduler, DiskCall<TState, T>, TimeSpan?))state!;
                if (scheduler.TryRemove(call))
                {
                    call.Cancel(token);
                }
                else if (delay is { } time)
                {
                    _ = scheduler.AbandonAsync(call, call.Task, time, token);
                }
            },
            (this, call, abandonDelay));
        return await call.Task;
    }

    private async Task AbandonAsync(DiskCall call, Task task, TimeSpan delay, CancellationToken cancellationToken)
    {
        await task.WaitAsync(delay, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        call.Cancel(cancellationToken);
    }

    private bool TryBeginNext(DiskThread thread, DiskLane? previous, [NotNullWhen(true)] out DiskCall? next)
    {
        DiskThread? helper = null;
        next = null;
        lock (_lock)
        {
            if (previous is not null)
            {
                previous.RunningCount--;
                MakeReady(previous);
                RemoveIfUnused(previous);
            }

            while (next is null && _ready.TryDequeue(out DiskLane? lane))
            {
                lane.IsReady = false;
                next = Dequeue(lane);
                RemoveIfUnused(lane);
            }

            if (next is null)
            {
                _idle.Add(thread);
            }
            else
            {
                helper = TakeThreadIfNeeded();
            }
        }

        // If no thread can be started, this one takes the next call later.
        Continue(helper);
        return next is not null;
    }

    /// <summary>Starts or wakes a thread. If the system has no more threads and no other thread exists, all waiting calls fail.</summary>
    private void Continue(DiskThread? thread)
    {
        try
        {
            thread?.Continue();
        }
        catch (OutOfMemoryException e)
        {
            List<DiskCall> stranded = [];
            lock (_lock)
            {
                // The other threads may be about to start, and fail as well. The last one finds the calls of all of them.
                if (--_threadCount == 0)
                {
                    stranded = TakeAll();
                }
            }

            foreach (DiskCall call in stranded)
            {
                call.Fail(new IOException("The system has no thread for a call of the file system.", e));
            }
        }
    }

    /// <summary>Removes all calls from their queues.</summary>
    private List<DiskCall> TakeAll()
    {
        List<DiskCall> calls = [.. _lanes.Values.SelectMany(static lane => lane.Waiting)];
        foreach (DiskCall call in calls)
        {
            Unlink(call.QueueEntry!);
            RemoveIfUnused(call.Lane);
        }

        return calls;
    }

    /// <summary>Returns false if the thread was given work at the end of its wait.</summary>
    private bool TryEnd(DiskThread thread)
    {
        lock (_lock)
        {
            if (!_idle.Remove(thread))
            {
                return false;
            }

            _threadCount--;
            return true;
        }
    }

    /// <summary>Removes a call from its queue. Returns false if it has begun.</summary>
    internal bool TryRemove(DiskCall call)
    {
        lock (_lock)
        {
            if (call.QueueEntry is not { } entry)
            {
                return false;
            }

            Unlink(entry);
            RemoveIfUnused(call.Lane);
            return true;
        }
    }

    private DiskCall? Dequeue(DiskLane lane)
    {
        if (lane.Waiting.First is not { } entry)
        {
            return null;
        }

        Unlink(entry);
        lane.RunningCount++;
        MakeReady(lane);
        return entry.Value;
    }

    private void Unlink(LinkedListNode<DiskCall> entry)
    {
        entry.Value.QueueEntry = null;
        entry.Value.Lane.Waiting.Remove(entry);
        _queueLength--;
    }

    private void MakeReady(DiskLane lane)
    {
        if (!lane.IsReady && lane.Waiting.Count > 0 && lane.RunningCount < MaxThreadsPerLane)
        {
            lane.IsReady = true;
            _ready.Enqueue(lane);
        }
    }

    private void RemoveIfUnused(DiskLane lane)
    {
        if (lane is { RunningCount: 0, IsReady: false, Waiting.Count: 0 })
        {
            _lanes.Remove(lane.Key);
        }
    }

    /// <summary>Returns a thread for the next call, or null if no call waits or no thread is available.</summary>
    private DiskThread? TakeThreadIfNeeded()
    {
        if (_ready.Count == 0)
        {
            return null;
        }

        if (_idle is [.., var thread])
        {
            _idle.RemoveAt(_idle.Count - 1);
            return thread;
        }

        if (_threadCount == maxThreads)
        {
            return null;
        }

        _threadCount++;
        return new DiskThread(this, name);
    }
}
