using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// The background work of the stores of an application: one sweeper and one listener for requests of other processes per store, however many endpoints use it.
/// </summary>
internal sealed class StoreSweepers(TimeProvider time, ILogger logger, CancellationToken stopping)
{
    private readonly Dictionary<IUploadStore, UploadSweeper> _sweepers = new(ReferenceEqualityComparer.Instance);
    private readonly List<Task> _running = [];
    private readonly Lock _lock = new();
    private bool _isStarted;

    /// <summary>Gets the sweepers that were started. Empty before the application has started.</summary>
    public UploadSweeper[] Running
    {
        get
        {
            lock (_lock)
            {
                return _isStarted ? [.. _sweepers.Values] : [];
            }
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
            running = Task.WhenAll(_running);
        }

        try
        {
            await running.WaitAsync(timeout, time);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            Engine.Log.SweepIgnoredStop(logger, timeout);
        }
    }

    private void Run(IUploadStore store, UploadSweeper sweeper)
    {
        _running.Add(Task.Run(() => sweeper.RunAsync(stopping)));
        if (store.GetCapability<ITakeoverStore>() is { } takeoverStore)
        {
            _running.Add(Task.Run(() => takeoverStore.ListenAsync(stopping)));
        }
    }
}
