using System.Collections;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Hosting;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Interrupted uploads leave no locks, open files or counts in the process.</summary>
public class AbortedUploadsTests
{
    private const int Length = 30_000;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(2 * Length);

    [Theory]
    [InlineData(200, 1)]
    [InlineData(50, 50)]
    public async Task Aborted_uploads_leave_no_lock_open_file_or_active_append(int uploads, int batchSize)
    {
        UploadRequestDispatcher? dispatcher = null;
        WatchedStore? store = null;
        await using TestApp app = await TestApp.StartAsync(useUploads: false, before: web =>
        {
            store = new WatchedStore(new FileSystemUploadStore(
                new FileSystemUploadStoreOptions { Directory = web.Environment.ContentRootPath, Durability = Durability.ProcessCrash }));
            var options = new ResumableUploadOptions { Store = store };
            dispatcher = UploadDispatcherFactory.CreateForMiddleware(web.Services, options).Dispatcher;
            web.Use(next => new ResumableUploadMiddleware(next, dispatcher, options).InvokeAsync);
        });
        UploadEngine engine = Field<UploadRequestServices>(Field<FileIdRequestHandler>(dispatcher!)).Engine;
        UploadLockTable locks = Field<UploadLockTable>(engine);
        using var running = new RunningAppends(app.Services);
        var kinds = new Queue<(Wire Wire, Cut Cut)>(
            [(Wire.ContentLength, Cut.Reset), (Wire.Chunked, Cut.Fin), (Wire.Chunked, Cut.Reset), (Wire.ContentLength, Cut.Fin)]);
        var planned = Enumerable.Range(0, uploads).Select(i => (Id: $"f{i}", Kind: kinds.ElementAt(i % kinds.Count))).ToList();

        foreach ((string Id, (Wire Wire, Cut Cut) Kind)[] batch in planned.Chunk(batchSize))
        {
            LiveUpload[] senders = await Task.WhenAll(batch.Select(async upload =>
            {
                LiveUpload sender = await LiveUpload.BeginAsync(upload.Kind.Wire, app.Address, upload.Id, 0, File.Length, File.Length);
                await sender.SendAsync(File.AsMemory(0, Length));
                return sender;
            }));

            // Each upload now holds its lock and its file. Then all connections are interrupted.
            await Task.WhenAll(batch.Select(upload => store!.StoredAsync(upload.Id, 1)));
            Assert.Equal(batch.Length, running.Current);
            Assert.Equal(batch.Length, OpenFilesIn(app.Directory, ".data"));
            for (int i = 0; i < senders.Length; i++)
            {
                senders[i].Cut(batch[i].Kind.Cut);
            }

            await running.WaitUntilZeroAsync();
            await Task.WhenAll(senders.Select(static sender => sender.DisposeAsync().AsTask()));
        }

        // A status request acquires the lock, so it completes after the interrupted append.
        foreach ((string id, _) in planned)
        {
            Assert.InRange(await app.Client.StatusAsync(id), 0, Length);
            using UploadLock? uploadLock = locks.TryAcquire(WatchedStore.KeyOf(id));
            Assert.NotNull(uploadLock);
        }

        Assert.Equal(0, Count(locks));
        Assert.Equal(0, Count(Field<CompletionService>(engine)));
        Assert.Equal(0, OpenFilesIn(Path.Combine(app.Directory, "uploads"), ""));
        Assert.Equal(0, running.Current);
        Assert.Equal(0, AppendsOf(engine));
        Assert.DoesNotContain(app.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    /// <summary>Counts the open files of this process below a directory, which excludes the files of other tests.</summary>
    private static int OpenFilesIn(string directory, string extension) =>
        new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos().Count(descriptor =>
            descriptor.LinkTarget is { } target
            && target.StartsWith(directory, StringComparison.Ordinal)
            && target.EndsWith(extension, StringComparison.Ordinal));

    /// <summary>Counts the entries of the only dictionary of an engine component.</summary>
    private static int Count(object component) => ((IEnumerable)Fields(component).Select(field => field.GetValue(component)).Single(static value => value is IDictionary)!)
        .Cast<object>().Count();

    private static int AppendsOf(UploadEngine engine)
    {
        OwnerQuota quota = Field<EngineContext>(engine).Quota;
        var accounts = (IDictionary)Fields(quota).Select(field => field.GetValue(quota)).Single(static value => value is IDictionary)!;
        return accounts.Values.Cast<object>().Sum(static account => (int)account.GetType().GetProperty("TotalAppends")!.GetValue(account)!);
    }

    private static T Field<T>(object component) => (T)Fields(component).Single(static field => field.FieldType == typeof(T)).GetValue(component)!;

    private static FieldInfo[] Fields(object component) => component.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic);

    /// <summary>Tracks the number of active appends of one app by its metrics.</summary>
    private sealed class RunningAppends : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Lock _lock = new();
        private TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _current;

        public RunningAppends(IServiceProvider services)
        {
            IMeterFactory? factory = services.GetService<IMeterFactory>();
            Assert.NotNull(factory);
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "resumable_uploads.active_appends" && instrument.Meter.Scope == factory)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, change, _, _) => Add((int)change));
            _listener.Start();
        }

        public int Current
        {
            get
            {
                lock (_lock)
                {
                    return _current;
                }
            }
        }

        public Task WaitUntilZeroAsync()
        {
            lock (_lock)
            {
                return _current == 0 ? Task.CompletedTask : _drained.Task.WaitAsync(TimeSpan.FromMinutes(2));
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Add(int change)
        {
            lock (_lock)
            {
                _current += change;
                if (_current == 0)
                {
                    _drained.TrySetResult();
                    _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }
}
