using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Hosting.Health;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// The background work of the stores of an application: one sweeper, one clock and one listener for requests of other processes per store, however many endpoints use it.
/// </summary>
internal sealed class StoreSweepers(TimeProvider time, ILogger logger, CancellationToken stopping)
{
    private static readonly TimeSpan ListenerRetryDelay = TimeSpan.FromSeconds(10);

    private readonly Dictionary<IUploadStore, UploadSweeper> _sweepers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<IUploadStore, StoreClock> _clocks = new(ReferenceEqualityComparer.Instance);
    private readonly List<SweptStore> _running = [];
    private readonly List<Task> _tasks = [];
    private readonly Lock _lock = new();
    private bool _isStarted;

    /// <summary>Gets the stores whose sweepers were started. Empty before the application has started.</summary>
    public SweptStore[] Running
    {
        get
        {
            lock (_lock)
            {
                return _isStarted ? [.. _running] : [];
            }
        }
    }

    /// <summary>Returns the clock of a store, or that of the system if the store has none.</summary>
    public TimeProvider GetClock(IUploadStore store)
    {
        lock (_lock)
        {
            if (!_clocks.TryGetValue(store, out StoreClock? clock) && store.GetCapability<IStoreClock>() is { } storeClock)
            {
                clock = new StoreClock(storeClock, time, logger);
                _clocks.Add(store, clock);
            }

            return clock ?? time;
        }
    }

    /// <summary>Adds a visitor to the sweeps of a store.</summary>
    public void Add(IUploadStore store, ISweepVisitor visitor)
    {
        lock (_lock)
        {
            if (_sweepers.TryGetValue(store, out UploadSweeper? sweeper))
            {
                sweeper.Add(visitor);
                return;
            }

            sweeper = new UploadSweeper(store, time, logger);
            sweeper.Add(visitor);
            _sweepers.Add(store, sweeper);
            if (_isStarted)
            {
                Run(store, sweeper);
            }
        }
    }

    public void Start()
    {
        lock (_lock)
        {
            _isStarted = true;
            foreach ((IUploadStore store, UploadSweeper sweeper) in _sweepers)
            {
                Run(store, sweeper);
            }
        }
    }

    /// <summary>Waits until the sweepers have stopped, after the application began to stop. Continues without a sweeper whose store or event handler hangs.</summary>
    public async Task WaitAsync(TimeSpan timeout)
    {
        Task running;
        lock (_lock)
        {
            running = Task.WhenAll(_tasks);
        }

        await running.WaitAsync(timeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running.IsCompleted)
        {
            await running;
            return;
        }

        Engine.Log.SweepIgnoredStop(logger, timeout);
    }

    private void Run(IUploadStore store, UploadSweeper sweeper)
    {
        string name = store.GetType().Name;
        int count = _running.Count(running => running.Sweeper.Store.GetType() == store.GetType());
        _running.Add(new SweptStore(count == 0 ? name : $"{name} {count + 1}", sweeper, new StoreProber(store, time)));
        _tasks.Add(Task.Run(() => sweeper.RunAsync(stopping)));
        if (store.GetCapability<ITakeoverStore>() is { } takeoverStore)
        {
            _tasks.Add(Task.Run(() => ListenAsync(takeoverStore)));
        }

        if (GetClock(store) is StoreClock clock)
        {
            _tasks.Add(Task.Run(() => clock.RunAsync(stopping)));
        }
    }

    /// <summary>Runs the listener of a store, and again if it throws.</summary>
    private async Task ListenAsync(ITakeoverStore store)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await store.ListenAsync(stopping);
                return;
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                Engine.Log.ListenerFailed(logger, e, ListenerRetryDelay);
                await Task.Delay(ListenerRetryDelay, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception)
            {
                // The stop of the server must not fail because the listener ends with it.
            }
        }
    }
}
