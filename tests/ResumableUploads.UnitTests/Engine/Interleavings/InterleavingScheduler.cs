namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>
/// Runs a scenario on one thread, one continuation at a time, in an order that a seed determines. Every <c>await</c> of the scenario, the engine and the
/// store is a point where another continuation can run. The clock advances only when nothing else can happen.
/// </summary>
internal sealed class InterleavingScheduler
{
    private const int MaxSteps = 20_000;
    private static readonly TimeSpan PoolTimeout = TimeSpan.FromSeconds(20);
    private readonly Lock _lock = new();
    private readonly List<(SendOrPostCallback Callback, object? State)> _ready = [];
    private readonly ManualResetEventSlim _reached = new();
    private readonly Random _random;
    private readonly Strategy _strategy;
    private readonly TimeSpan _grace;
    private HashCode _choices;

    private InterleavingScheduler(int seed, TimeSpan grace)
    {
        _random = new Random(seed);
        _strategy = (Strategy)(seed % 3);
        _grace = grace;
    }

    /// <summary>Specifies the orders that are more likely. Each finds races that the others find rarely.</summary>
    private enum Strategy
    {
        AnyOrder,
        MostlyInOrder,
        MostlyNewestFirst,
    }

    public InterleavingClock Clock { get; } = new();

    /// <summary>Runs a scenario to its end.</summary>
    /// <param name="seed">The number that determines all choices.</param>
    /// <param name="grace">The time that callbacks on the thread pool get before the clock is advanced.</param>
    /// <param name="scenario">The scenario.</param>
    /// <returns>A hash of all choices, which is different for different schedules.</returns>
    public static int Run(int seed, TimeSpan grace, Func<InterleavingScheduler, Task> scenario)
    {
        var scheduler = new InterleavingScheduler(seed, grace);
        SynchronizationContext? previous = SynchronizationContext.Current;
        try
        {
            scheduler.Run(scenario);
            return scheduler._choices.ToHashCode();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(previous);
        }
    }

    /// <summary>Waits while an arbitrary number of other continuations run.</summary>
    public async Task JitterAsync()
    {
        for (int i = Choose(12); i > 0; i--)
        {
            await Task.Yield();
        }
    }

    /// <summary>Chooses a number from 0 up to a limit, exclusively.</summary>
    public int Choose(int count)
    {
        int choice = _random.Next(count);
        _choices.Add((choice, count));
        return choice;
    }

    private void Run(Func<InterleavingScheduler, Task> scenario)
    {
        SynchronizationContext.SetSynchronizationContext(new Context(this));
        Task running = scenario(this);
        for (int step = 0; !running.IsCompleted; step++)
        {
            Assert.True(step < MaxSteps, "The scenario does not end.");
            if (TakeNext() is { } next)
            {
                // A continuation runs inline if its context is the current one, and would not be a point of choice.
                SynchronizationContext.SetSynchronizationContext(new Context(this));
                next.Callback(next.State);
            }
            else if (!WaitForLastCallbacks())
            {
                Assert.True(Clock.AdvanceToNextTimer(), "Nothing can happen any more: the scenario waits for a wake-up that was lost.");
            }
        }

        running.GetAwaiter().GetResult();
    }

    private (SendOrPostCallback Callback, object? State)? TakeNext()
    {
        lock (_lock)
        {
            if (_ready.Count == 0)
            {
                return null;
            }

            int index = _strategy switch
            {
                Strategy.MostlyInOrder when _random.Next(6) > 0 => 0,
                Strategy.MostlyNewestFirst when _random.Next(6) > 0 => _ready.Count - 1,
                _ => _random.Next(_ready.Count),
            };
            _choices.Add((index, _ready.Count));
            (SendOrPostCallback, object?) next = _ready[index];
            _ready.RemoveAt(index);
            return next;
        }
    }

    /// <summary>
    /// Waits for the callbacks that are queued to the thread pool, such as the completion of a wait with a timeout. The scheduler runs on a thread of its own,
    /// so they are in the global queue, before the callback that is queued here.
    /// </summary>
    private void WaitForThreadPool()
    {
        _reached.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(static reached => reached.Set(), _reached, preferLocal: false);
        Assert.True(_reached.Wait(PoolTimeout), "The thread pool is blocked.");
    }

    /// <summary>Waits for callbacks that a thread of the pool has begun, and not ended when the next one began.</summary>
    /// <returns>True if a continuation is ready.</returns>
    private bool WaitForLastCallbacks()
    {
        long start = TimeProvider.System.GetTimestamp();
        do
        {
            WaitForThreadPool();
            lock (_lock)
            {
                if (_ready.Count > 0)
                {
                    return true;
                }
            }
        }
        while (TimeProvider.System.GetElapsedTime(start) < _grace);
        return false;
    }

    private void Add(SendOrPostCallback callback, object? state)
    {
        lock (_lock)
        {
            _ready.Add((callback, state));
        }
    }

    private sealed class Context(InterleavingScheduler scheduler) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => scheduler.Add(d, state);

        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing may block the only thread.");

        public override SynchronizationContext CreateCopy() => new Context(scheduler);
    }
}
