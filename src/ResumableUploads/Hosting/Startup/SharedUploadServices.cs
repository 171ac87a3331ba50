using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Hosting.Startup;

/// <summary>What all the uploads of one app share, however many sets of options it has: clock, log, stores on a directory, and one sweeper for each store.</summary>
internal sealed class SharedUploadServices(IServiceProvider services)
{
    private readonly ILoggerFactory _loggerFactory = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
    private readonly Dictionary<string, int> _nameCounts = [];
    private readonly Dictionary<(string, Durability, long, TimeSpan), FileSystemUploadStore> _fileStores = [];
    private readonly Dictionary<IUploadStore, UploadSweeper> _sweepers = new(ReferenceEqualityComparer.Instance);
    private readonly List<Task> _sweepTasks = [];
    private readonly Lock _lock = new();

    public TimeProvider Time { get; } = services.GetService<TimeProvider>() ?? TimeProvider.System;

    public ILogger Logger => field ??= _loggerFactory.CreateLogger("ResumableUploads");

    /// <summary>The path, with a number where groups of one app use the same pattern: the same in every process that runs this code.</summary>
    public string GetUniqueName(string uploadPath)
    {
        lock (_lock)
        {
            int number = _nameCounts[uploadPath] = _nameCounts.GetValueOrDefault(uploadPath) + 1;
            return number == 1 ? uploadPath : $"{uploadPath}#{number}";
        }
    }

    /// <summary>The store on the directory of some options.</summary>
    public FileSystemUploadStore GetFileSystemStore(ResumableUploadOptions options)
    {
        string root = services.GetService<IHostEnvironment>()?.ContentRootPath ?? Directory.GetCurrentDirectory();
        string directory = Path.GetFullPath(options.Directory, root);
        lock (_lock)
        {
            var wanted = (directory, options.FileSystem.Durability, options.FileSystem.SyncSize, options.FileSystem.SyncInterval);
            if (!_fileStores.TryGetValue(wanted, out FileSystemUploadStore? store))
            {
                store = new FileSystemUploadStore(
                    new FileSystemUploadStoreOptions
                    {
                        Directory = directory,
                        Durability = options.FileSystem.Durability,
                        SyncSize = options.FileSystem.SyncSize,
                        SyncInterval = options.FileSystem.SyncInterval,
                    },
                    Time,
                    _loggerFactory.CreateLogger<FileSystemUploadStore>());
                _fileStores.Add(wanted, store);
                ConfigurationWatchCheck.WarnIfWatched(services, directory, Logger);
            }

            return store;
        }
    }

    /// <summary>Sweeps the store for one more, from the start of the app to its end.</summary>
    public void AddToSweeper(IUploadStore store, ISweepVisitor visitor, IHostApplicationLifetime lifetime)
    {
        lock (_lock)
        {
            if (_sweepers.TryGetValue(store, out UploadSweeper? sweeper))
            {
                sweeper.Add(visitor);
                return;
            }

            sweeper = new UploadSweeper(store, Time, Logger);
            sweeper.Add(visitor);
            _sweepers.Add(store, sweeper);
            lifetime.ApplicationStarted.Register(() =>
            {
                lock (_lock)
                {
                    _sweepTasks.Add(Task.Run(() => sweeper.RunAsync(lifetime.ApplicationStopping)));
                }
            });
        }
    }

    /// <summary>After the app was told to stop.</summary>
    public void WaitForSweepers()
    {
        Task[] sweeping;
        lock (_lock)
        {
            sweeping = [.. _sweepTasks];
        }

        Task.WhenAll(sweeping).GetAwaiter().GetResult();
    }
}
