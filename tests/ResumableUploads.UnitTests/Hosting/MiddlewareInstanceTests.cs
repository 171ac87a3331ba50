using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting;

public class MiddlewareInstanceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UseResumableUploads_overloads_work_with_and_without_services(bool withServices)
    {
        await using TestApp app = await TestApp.StartAsync(
            services: builder => _ = withServices
                ? builder.Services.AddResumableUploads(static options =>
                {
                    options.Directory = "shared";
                    options.MaxUploadSize = 1000;
                    options.FileSystem.Durability = Durability.ProcessCrash;
                }).Services
                : builder.Services,
            before: static app =>
            {
                app.UseResumableUploads();
                app.UseResumableUploads(static options => (options.UploadPath, options.StatusPath) = ("/b", "/b-status"));
                app.UseResumableUploads(new ResumableUploadOptions { UploadPath = "/c", StatusPath = null, FileSystem = { Durability = Durability.ProcessCrash } });
            },
            useUploads: false,
            onTestHost: true);

        foreach (string path in (string[])["/upload", "/b", "/c"])
        {
            using HttpResponseMessage small = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 1000, path);
            Assert.Equal(200, (int)small.StatusCode);
            using HttpResponseMessage large = await app.Client.AppendAsync("g", 0, new ByteArrayContent(new byte[10]), 1001, path);

            // An options instance is used as is; the options of the services do not apply.
            Assert.Equal(withServices && path != "/c" ? 413 : 200, (int)large.StatusCode);
        }

        Assert.Equal(10, await app.Client.StatusAsync("f", "/status"));
        Assert.Equal(10, await app.Client.StatusAsync("f", "/b-status"));
        Assert.Equal(10, await app.Client.StatusAsync("f", "/c"));
        Assert.Equal(withServices, Directory.Exists(Path.Combine(app.Directory, "shared")));
        Assert.True(Directory.Exists(Path.Combine(app.Directory + "-uploads", "uploads")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Store_of_options_precedes_store_of_services_and_default(bool inOptions)
    {
        using var serviceStore = new MemoryUploadStore();
        using var optionsStore = new MemoryUploadStore();
        await using TestApp app = await TestApp.StartAsync(
            options => options.Store = inOptions ? optionsStore : null,
            services: builder => builder.Services.AddSingleton<IUploadStore>(serviceStore),
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 20);

        Assert.Equal(inOptions ? 0 : 1, await CountAsync(serviceStore));
        Assert.Equal(inOptions ? 1 : 0, await CountAsync(optionsStore));
        Assert.False(Directory.Exists(Path.Combine(app.Directory, "uploads")));
        Assert.False(Directory.Exists(app.Directory + "-uploads"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Same_file_id_on_two_paths_identifies_two_uploads(bool shareOneStore)
    {
        using var one = new MemoryUploadStore();
        using var two = new MemoryUploadStore();
        await using TestApp app = await TestApp.StartAsync(
            options => options.Store = one,
            after: app => app.UseResumableUploads(options =>
            {
                (options.UploadPath, options.StatusPath) = ("/videos", "/videos/status");
                options.Store = shareOneStore ? one : two;
            }),
            onTestHost: true);

        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 100);
        using HttpResponseMessage second = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[33]), 50, "/videos");
        using HttpResponseMessage deleted = await app.Client.DeleteUploadAsync("f");

        Assert.Equal((200, 200, 204), ((int)first.StatusCode, (int)second.StatusCode, (int)deleted.StatusCode));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        Assert.Equal(33, await app.Client.StatusAsync("f", "/videos/status"));
    }

    [Fact]
    public async Task Instances_at_one_path_in_two_branches_have_separate_uploads()
    {
        using var store = new MemoryUploadStore();
        var runs = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                foreach (string tenant in (string[])["a", "b"])
                {
                    builder.Services.AddResumableUploads(
                        tenant, options => (options.Store, options.OnCompleted) = (store, (_, _) => Task.Run(() => runs.Enqueue(tenant))));
                }
            },
            before: app =>
            {
                foreach (string tenant in (string[])["a", "b"])
                {
                    app.UseWhen(context => context.Request.Headers["X-Tenant"] == tenant, branch => branch.UseResumableUploads(tenant));
                }
            },
            useUploads: false,
            onTestHost: true);

        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[3], 6, ("X-Tenant", "a"));
        using HttpResponseMessage other = await app.Client.AppendAsync("f", 3, new byte[3], 6, ("X-Tenant", "b"));
        Assert.Equal((200, 409, "0"), ((int)first.StatusCode, (int)other.StatusCode, other.Header("X-Start-Byte")));
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 3, new byte[3], 6, ("X-Tenant", "a"));
        Assert.Equal(200, (int)last.StatusCode);
        Assert.Equal(["a"], runs);
    }

    [Fact]
    public async Task Background_completion_runs_only_the_handler_of_its_path()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var store = new MemoryUploadStore(timeProvider: time);
        var runs = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Store = store;
                options.OnCompleted = (_, _) => Task.Run(() => runs.Enqueue("documents"));
            },
            services: builder => builder.Services.AddSingleton<TimeProvider>(time),
            after: app => app.UseResumableUploads(options =>
            {
                (options.UploadPath, options.StatusPath, options.Store) = ("/videos", null, store);
                options.OnCompleted = (upload, _) =>
                {
                    runs.Enqueue("videos");
                    return upload.IsRepeat ? Task.CompletedTask : throw new InvalidOperationException("The first attempt fails.");
                };
            }),
            onTestHost: true);

        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 10, "/videos");
        Assert.Equal(503, (int)response.StatusCode);
        await Eventually.TrueAsync(() => runs.Count >= 2, "the handler ran again", () => time.Advance(TimeSpan.FromMinutes(1)));

        Assert.Equal(["videos", "videos"], runs);
    }

    [Fact]
    public async Task TimeSpan_MaxValue_disables_expiration()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => (options.Timeouts.MaxAge, options.Expiration, options.Timeouts.CompletedRetention) = (TimeSpan.MaxValue, TimeSpan.MaxValue, TimeSpan.MaxValue),
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 20);
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 10, new byte[10], 20);

        Assert.Equal((200, 200), ((int)first.StatusCode, (int)last.StatusCode));
        Assert.Single(app.Finished);
    }

    private static async Task<int> CountAsync(MemoryUploadStore store)
    {
        int count = 0;
        await foreach (UploadInfo _ in store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            count++;
        }

        return count;
    }
}
