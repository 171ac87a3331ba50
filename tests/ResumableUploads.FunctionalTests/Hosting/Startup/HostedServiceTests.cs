using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.FunctionalTests.Hosting.Startup;

public class HostedServiceTests
{
    [Fact]
    public async Task Startup_check_of_store_completes_before_server_listens()
    {
        using var memory = new MemoryUploadStore();
        var store = new CheckedStore(memory);
        await using WebApplication app = await Task.Run(() => App(store, static app => app.UseResumableUploads())).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.False(store.WasChecked.IsCompleted);

        Task start = app.StartAsync();
        await store.WasChecked.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.False(start.IsCompleted);
        Assert.DoesNotContain(app.Urls, static url => !url.EndsWith(":0", StringComparison.Ordinal));

        store.Result.SetResult();
        await start;
        await app.StopAsync();
    }

    [Fact]
    public async Task Unusable_store_fails_start()
    {
        using var memory = new MemoryUploadStore();
        var store = new CheckedStore(memory);
        store.Result.SetException(new InvalidOperationException("The disk is read-only."));
        await using WebApplication app = App(store, static app => app.UseResumableUploads());
        Assert.Equal("The disk is read-only.", (await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync())).Message);
    }

    [Fact]
    public async Task Unusable_store_of_endpoint_fails_start()
    {
        using var memory = new MemoryUploadStore();
        var store = new CheckedStore(memory);
        store.Result.SetException(new InvalidOperationException("The disk is read-only."));
        await using WebApplication app = App(store, static app => app.MapPost("/endpoint", static () => "").WithResumableUploads());
        Assert.Equal("The disk is read-only.", (await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync())).Message);
    }

    [Fact]
    public void UseResumableUploads_without_services_throws_for_unusable_store()
    {
        using var memory = new MemoryUploadStore();
        var store = new CheckedStore(memory);
        store.Result.SetException(new InvalidOperationException("The disk is read-only."));
        WebApplication app = Builder().Build();
        Assert.Throws<InvalidOperationException>(() => app.UseResumableUploads(options => options.Store = store));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sweep_runs_once_per_store_and_is_canceled_at_stop(bool withServices)
    {
        using var memory = new MemoryUploadStore();
        var store = new SweptStore(memory);
        WebApplicationBuilder builder = Builder();
        _ = withServices ? builder.Services.AddResumableUploads() : null;
        await using WebApplication app = builder.Build();
        Assert.Equal(withServices, app.Services.GetServices<IHostedService>().Any(static service => service is ResumableUploadsHostedService));
        app.UseResumableUploads(options => options.Store = store);
        app.UseResumableUploads(options => (options.Store, options.UploadPath, options.StatusPath) = (store, "/b", null));
        Assert.Equal(0, store.Sweeps);

        await app.StartAsync();
        await store.WasSwept.WaitAsync(TimeSpan.FromMinutes(2));

        // Without AddResumableUploads() the wait blocks the thread that stops the application.
        Task stop = Task.Run(() => app.StopAsync());
        await store.WasCanceled.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.False(stop.IsCompleted);

        store.End.SetResult();
        await stop;
        Assert.Equal(1, store.Sweeps);
    }

    private static WebApplicationBuilder Builder()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        return builder;
    }

    private static WebApplication App(IUploadStore store, Action<WebApplication> use)
    {
        WebApplicationBuilder builder = Builder();
        builder.Services.AddResumableUploads(options => options.Store = store);
        WebApplication app = builder.Build();
        use(app);
        return app;
    }

    private sealed class CheckedStore(IUploadStore inner) : DelegatingUploadStore(inner), IStoreStartupCheck
    {
        private readonly TaskCompletionSource _checked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task WasChecked => _checked.Task;

        public async ValueTask CheckAsync(CancellationToken cancellationToken)
        {
            _checked.TrySetResult();
            await Result.Task;
        }
    }

    /// <summary>A store whose sweep ends only when the test completes <see cref="End"/>.</summary>
    private sealed class SweptStore(IUploadStore inner) : DelegatingUploadStore(inner), ISelfCleaningStore
    {
        private readonly TaskCompletionSource _swept = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _canceled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _sweeps;

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Sweeps => Volatile.Read(ref _sweeps);

        public Task WasSwept => _swept.Task;

        public Task WasCanceled => _canceled.Task;

        public async ValueTask CleanUpAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _sweeps);
            _swept.TrySetResult();
            await using CancellationTokenRegistration registration = cancellationToken.Register(() => _canceled.TrySetResult());
            await End.Task;
        }
    }
}
