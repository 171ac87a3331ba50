using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Hosting.Caching;
using ResumableUploads.Hosting.Diagnostics;
using ResumableUploads.Hosting.Forms;
using ResumableUploads.Hosting.Management;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// What the upload endpoints of one application share, and their lifetime: checks before the server starts, sweeps while it runs, and a
/// clean end. The container has one with <c>AddResumableUploads()</c>, run by <see cref="ResumableUploadsHostedService"/>.
/// </summary>
internal sealed class SharedUploadServices
{
    private readonly IServiceProvider _services;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly ILoggerFactory _loggerFactory;
    private readonly Dictionary<(string, Durability, long, TimeSpan, int), FileSystemUploadStore> _fileStores = [];
    private readonly Dictionary<object, (UploadLockTable Locks, OwnerUsageTable UsageByOwner)> _storages = [];
    private readonly StoreSweepers _sweepers;
    private readonly StoreMetrics _storeMetrics;
    private readonly List<(UploadEngine Engine, UploadMetrics Metrics, IUploadStore Store)> _engines = [];
    private readonly Lock _lock = new();
    private volatile FormEndpoint[] _formEndpoints = [];

    /// <summary>The stores to be checked when the host starts, or null when it has checked them: a later store is checked at once.</summary>
    private HashSet<IUploadStore>? _unchecked = new(ReferenceEqualityComparer.Instance);

    public SharedUploadServices(IServiceProvider services)
    {
        _services = services;
        _lifetime = services.GetService<IHostApplicationLifetime>();
        _loggerFactory = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        Time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        Logger = _loggerFactory.CreateLogger("ResumableUploads");
        Activity = new UploadActivity(Time);
        BufferingProxies = new BufferingProxyDetector(Time, Logger);
        _sweepers = new StoreSweepers(Time, Logger, Stopping);
        _storeMetrics = new StoreMetrics(services.GetService<IMeterFactory>(), () => _sweepers.Running);
        AddOutputCachePolicy(UploadOutputCachePolicy.ForProtocolRequests);
    }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    /// <summary>Gets the names of the engines.</summary>
    public EngineNameRegistry EngineNames { get; } = new();

    /// <summary>Gets the middleware with registered options, by the name of the options.</summary>
    public ConcurrentDictionary<string, MiddlewareDispatcher> Middleware { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets what the requests of all engines do.</summary>
    public UploadActivity Activity { get; }

    /// <summary>Gets the detector of proxies that buffer requests.</summary>
    public BufferingProxyDetector BufferingProxies { get; }

    /// <summary>Gets the storages of the engines that are running, in the order in which the endpoints were built.</summary>
    public ManagedStore[] ManagedStores
    {
        get
        {
            SweptStore[] swept = SweptStores;
            lock (_lock)
            {
                return
                [
                    .. _engines.GroupBy(static running => running.Engine.Inspector.Storage, ReferenceEqualityComparer.Instance).Select(group => new ManagedStore(
                        swept.FirstOrDefault(store => group.Any(running => ReferenceEquals(store.Sweeper.Store, running.Store)))?.Name ?? group.First().Store.GetType().Name,
                        [.. group.Select(static running => running.Engine)])),
                ];
            }
        }
    }

    /// <summary>Gets the ready-made endpoints, whose uploads forms can refer to.</summary>
    public IReadOnlyList<FormEndpoint> FormEndpoints => _formEndpoints;

    /// <summary>Gets the moves of uploads that forms refer to.</summary>
    public FormMoves FormMoves { get; } = new();

    /// <summary>Gets the clients that follow uploads.</summary>
    public ProgressFollowers ProgressFollowers { get; } = new();

    /// <summary>Gets the stores whose sweepers were started.</summary>
    public SweptStore[] SweptStores => _sweepers.Running;

    /// <summary>Gets the sweepers that were started, one per store.</summary>
    public UploadSweeper[] RunningSweepers => [.. SweptStores.Select(static store => store.Sweeper)];

    /// <summary>Gets the token that is canceled when the application begins to stop.</summary>
    public CancellationToken Stopping => _lifetime?.ApplicationStopping ?? CancellationToken.None;

    /// <summary>
    /// Creates the shared services of an application without <c>AddResumableUploads()</c>. It has no hosted service, so stores are checked
    /// synchronously when they are first used, and the rest follows the events of the application's lifetime.
    /// </summary>
    public static SharedUploadServices Create(IServiceProvider services)
    {
        var app = new SharedUploadServices(services) { _unchecked = null };
        app._lifetime?.ApplicationStarted.Register(app.StartSweeping);
        app._lifetime?.ApplicationStopped.Register(() => app.StopAsync().GetAwaiter().GetResult());
        return app;
    }

    /// <summary>Adds a policy for all requests of the app. It is in use as soon as the app uses output caching.</summary>
    public void AddOutputCachePolicy(IOutputCachePolicy policy) => _services.GetService<IOptions<OutputCacheOptions>>()?.Value.AddBasePolicy(policy);

    /// <summary>Returns the file-system store of some options. Options with the same directory and settings share one store.</summary>
    public FileSystemUploadStore GetFileSystemStore(ResumableUploadOptions options)
    {
        string directory = options.Directory is { } path ? ContentRoot.GetFullPath(_services, path) : ContentRoot.GetDefaultUploadDirectory(_services);
        lock (_lock)
        {
            var wanted = (directory, options.FileSystem.Durability, options.FileSystem.SyncSize, options.FileSystem.SyncInterval, options.FileSystem.MaxThreads);
            if (!_fileStores.TryGetValue(wanted, out FileSystemUploadStore? store))
            {
                store = new FileSystemUploadStore(
                    new FileSystemUploadStoreOptions
                    {
                        Directory = directory,
                        Durability = options.FileSystem.Durability,
                        SyncSize = options.FileSystem.SyncSize,
                        SyncInterval = options.FileSystem.SyncInterval,
                        MaxThreads = options.FileSystem.MaxThreads,
                    },
                    Time,
                    _loggerFactory.CreateLogger<FileSystemUploadStore>());
                _fileStores.Add(wanted, store);
                Log.StoreDirectory(Logger, directory);
                ConfigurationWatchCheck.WarnIfWatched(_services, directory, Logger);
            }

            return store;
        }
    }

    /// <summary>Returns the clock of a store, by which its uploads expire.</summary>
    public TimeProvider GetClock(IUploadStore store) => _sweepers.GetClock(store);

    /// <summary>Returns the locks of a store, and the usage of its owners. File-system stores with the same directory share them.</summary>
    public (UploadLockTable Locks, OwnerUsageTable UsageByOwner) GetStorage(IUploadStore store)
    {
        lock (_lock)
        {
            object storage = _fileStores.FirstOrDefault(known => ReferenceEquals(known.Value, store)) is { Value: not null, Key.Item1: var directory } ? directory : store;
            if (!_storages.TryGetValue(storage, out (UploadLockTable, OwnerUsageTable) shared))
            {
                shared = (new UploadLockTable(Time), new OwnerUsageTable());
                _storages.Add(storage, shared);
            }

            return shared;
        }
    }

    /// <summary>Checks a store before the server listens: when the host starts, or at once if it has started already.</summary>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public void CheckBeforeStart(IUploadStore store)
    {
        lock (_lock)
        {
            if (_unchecked is not null)
            {
                _unchecked.Add(store);
                return;
            }
        }

        // A pipeline is built synchronously, and there is no later step before the server listens.
        CheckAsync(store, CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Checks the stores that are known so far. Stores that are added later are checked at once.</summary>
    /// <exception cref="InvalidOperationException">A store cannot be used.</exception>
    public async Task CheckStoresAsync(CancellationToken cancellationToken)
    {
        IUploadStore[] stores;
        lock (_lock)
        {
            stores = [.. _unchecked ?? []];
            _unchecked = null;
        }

        foreach (IUploadStore store in stores)
        {
            await CheckAsync(store, cancellationToken);
        }
    }

    /// <summary>Adds an engine: its store is swept from the start of the application to its end, and then the engine is disposed.</summary>
    public void Run(UploadEngine engine, UploadMetrics metrics, IUploadStore store, ISweepVisitor visitor)
    {
        if (_lifetime is null)
        {
            return;
        }

        _sweepers.Add(store, visitor);
        _lifetime.ApplicationStopping.Register(engine.Stop);
        lock (_lock)
        {
            _engines.Add((engine, metrics, store));
        }
    }

    /// <summary>Adds a ready-made endpoint, whose uploads forms can refer to.</summary>
    public void AddFormEndpoint(FormEndpoint endpoint)
    {
        lock (_lock)
        {
            _formEndpoints = [.. _formEndpoints, endpoint];
        }
    }

    /// <summary>Starts to sweep the stores, when the server listens.</summary>
    /// <exception cref="InvalidOperationException">Two endpoints have the same name, so a sweep could call the events of the wrong one.</exception>
    public void StartSweeping()
    {
        // Endpoints add their names when they are built.
        _ = _services.GetService<EndpointDataSource>()?.Endpoints;
        _sweepers.Start();
    }

    /// <summary>Waits for the sweeps and disposes the engines, when the server has stopped.</summary>
    public async Task StopAsync()
    {
        (UploadEngine Engine, UploadMetrics Metrics, IUploadStore Store)[] engines;
        lock (_lock)
        {
            engines = [.. _engines];
            _engines.Clear();
        }

        await _sweepers.WaitAsync(engines.Select(static running => running.Engine.StopTimeout).DefaultIfEmpty().Max());
        await Task.WhenAll(engines.Select(static async running =>
        {
            await running.Engine.DisposeAsync();
            running.Metrics.Dispose();
        }));
        _storeMetrics.Stop();
    }

    private async ValueTask CheckAsync(IUploadStore store, CancellationToken cancellationToken)
    {
        if (store.GetCapability<IStoreStartupCheck>() is { } check)
        {
            await check.CheckAsync(cancellationToken);
        }

        if (GetClock(store) is StoreClock clock)
        {
            await clock.SynchronizeAsync(cancellationToken);
        }
    }
}
