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

/// <summary>Many uploads that are broken off leave nothing behind in the process.</summary>
public class AbortedUploadsTests
{
    private const int Length = 30_000;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(2 * Length);

    [Theory]
    [InlineData(200, 1)]
    [InlineData(50, 50)]
    public async Task Aborted_uploads_leave_no_turn_no_open_file_and_no_count(int uploads, int atOnce)
    {
        UploadRequestDispatcher? dispatcher = null;
        WatchedStore? store = null;
        await using TestApp app = await TestApp.StartAsync(useUploads: false, before: web =>
        {
            store = new WatchedStore(new FileSystemUploadStore(
                new FileSystemUploadStoreOptions { Directory = web.Environment.ContentRootPath, Durability = Durability.ProcessCrash }));
            var options = new ResumableUploadOptions { Store = store };
            dispatcher = UploadDispatcherFactory.Create(web.Services, options, options.UploadPath);
            web.Use(next => new ResumableUploadMiddleware(next, dispatcher, options).InvokeAsync);
        });
        UploadEngine engine = Field<UploadRequestServices>(Field<FileIdRequestHandler>(dispatcher!)).Engine;
        UploadLockTable locks = Field<UploadLockTable>(engine);
        using var running = new RunningAppends(app.Services);
        var kinds = new Queue<(Wire Wire, Cut Cut)>(
            [(Wire.ContentLength, Cut.Reset), (Wire.Chunked, Cut.Fin), (Wire.Chunked, Cut.Reset), (Wire.ContentLength, Cut.Fin)]);
        var plan = Enumerable.Range(0, uploads).Select(i => (Id: $"f{i}", Kind: kinds.ElementAt(i % kinds.Count))).ToList();

        foreach ((string Id, (Wire Wire, Cut Cut) Kind)[] together in plan.Chunk(atOnce))
        {
            LiveUpload[] senders = await Task.WhenAll(together.Select(async one =>
            {
                LiveUpload sender = await LiveUpload.BeginAsync(one.Kind.Wire, app.Address, one.Id, 0, File.Length, File.Length);
                await sender.SendAsync(File.AsMemory(0, Length));
                return sender;
            }));

            // Each one has its turn and its file by now; then all are cut.
            await Task.WhenAll(together.Select(one => store!.StoredAsync(one.Id, 1)));
            Assert.Equal(together.Length, running.Now);
            Assert.Equal(together.Length, OpenFilesIn(app.Directory, ".data"));
            for (int i = 0; i < senders.Length; i++)
            {
                senders[i].Cut(together[i].Kind.Cut);
            }

            await running.EndedAsync();
            await Task.WhenAll(senders.Select(static sender => sender.DisposeAsync().AsTask()));
        }

        // A status goes through the turn, so whatever was still on its way out is out.
        foreach ((string id, _) in plan)
        {
            Assert.InRange(await app.Client.StatusAsync(id), 0, Length);
            using UploadLock? uploadLock = locks.TryAcquire(WatchedStore.KeyOf(id));
            Assert.NotNull(uploadLock);
        }

        Assert.Equal(0, Count(locks));
        Assert.Equal(0, Count(Field<CompletionService>(engine)));
        Assert.Equal(0, OpenFilesIn(app.Directory, ""));
        Assert.Equal(0, running.Now);
        Assert.Equal(0, AppendsOf(engine));
        Assert.DoesNotContain(app.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    /// <summary>How many files below a directory this process has open: other tests open others.</summary>
    private static int OpenFilesIn(string directory, string ending) =>
        new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos().Count(descriptor =>
            descriptor.LinkTarget is { } target
            && target.StartsWith(directory, StringComparison.Ordinal)
            && target.EndsWith(ending, StringComparison.Ordinal));

    /// <summary>How much the only table of a part of the engine holds.</summary>
    private static int Count(object part) => ((IEnumerable)Fields(part).Select(field => field.GetValue(part)).Single(static value => value is IDictionary)!)
        .Cast<object>().Count();

    private static int AppendsOf(UploadEngine engine)
    {
        OwnerQuota quota = Field<EngineContext>(engine).Quota;
        var accounts = (IDictionary)Fields(quota).Select(field => field.GetValue(quota)).Single(static value => value is IDictionary)!;
        return accounts.Values.Cast<object>().Sum(static account => (int)account.GetType().GetProperty("ActiveAppends")!.GetValue(account)!);
    }

    private static T Field<T>(object part) => (T)Fields(part).Single(static field => field.FieldType == typeof(T)).GetValue(part)!;

    private static FieldInfo[] Fields(object part) => part.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic);

    /// <summary>Listens to how many appends one app runs, as its metrics tell.</summary>
    private sealed class RunningAppends : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Lock _lock = new();
        private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _now;

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
            _listener.SetMeasurementEventCallback<int>((_, change, _, _) => Changed(change));
            _listener.Start();
        }

        public int Now
        {
            get
            {
                lock (_lock)
                {
                    return _now;
                }
            }
        }

        public Task EndedAsync()
        {
            lock (_lock)
            {
                return _now == 0 ? Task.CompletedTask : _ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Changed(int change)
        {
            lock (_lock)
            {
                _now += change;
                if (_now == 0)
                {
                    _ended.TrySetResult();
                    _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }
}
