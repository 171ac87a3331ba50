using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting;

public class InstanceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_three_ways_of_use_work_with_and_without_services(bool withServices)
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

            // Options that are given as a whole owe nothing to the services.
            Assert.Equal(withServices && path != "/c" ? 413 : 200, (int)large.StatusCode);
        }

        Assert.Equal(10, await app.Client.StatusAsync("f", "/status"));
        Assert.Equal(10, await app.Client.StatusAsync("f", "/b-status"));
        Assert.Equal(10, await app.Client.StatusAsync("f", "/c"));
        Assert.Equal(withServices, Directory.Exists(Path.Combine(app.Directory, "shared")));
        Assert.True(Directory.Exists(Path.Combine(app.Directory, "uploads")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_stores_of_the_options_the_services_and_the_default_win_in_this_order(bool inOptions)
    {
        using var ofServices = new MemoryUploadStore();
        using var ofOptions = new MemoryUploadStore();
        await using TestApp app = await TestApp.StartAsync(
            options => options.Store = inOptions ? ofOptions : null,
            services: builder => builder.Services.AddSingleton<IUploadStore>(ofServices),
            onTestHost: true);
        using HttpResponseMessage answer = await app.Client.AppendAsync("f", 0, new byte[10], 20);

        Assert.Equal(inOptions ? 0 : 1, await CountAsync(ofServices));
        Assert.Equal(inOptions ? 1 : 0, await CountAsync(ofOptions));
        Assert.False(Directory.Exists(Path.Combine(app.Directory, "uploads")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_same_file_id_at_two_instances_is_two_uploads(bool shareOneStore)
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
        using HttpResponseMessage gone = await app.Client.DeleteUploadAsync("f");

        Assert.Equal((200, 200, 204), ((int)first.StatusCode, (int)second.StatusCode, (int)gone.StatusCode));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        Assert.Equal(33, await app.Client.StatusAsync("f", "/videos/status"));
    }

    [Fact]
    public async Task An_upload_is_never_finished_in_the_background_by_the_handler_of_another_path()
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
                    return upload.IsRepeat ? Task.CompletedTask : throw new InvalidOperationException("Not now.");
                };
            }),
            onTestHost: true);

        using HttpResponseMessage answer = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 10, "/videos");
        Assert.Equal(503, (int)answer.StatusCode);
        await Eventually.TrueAsync(() => runs.Count >= 2, "the handler ran again", () => time.Advance(TimeSpan.FromMinutes(1)));

        Assert.Equal(["videos", "videos"], runs);
    }

    [Fact]
    public async Task An_age_without_a_bound_is_no_error()
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
