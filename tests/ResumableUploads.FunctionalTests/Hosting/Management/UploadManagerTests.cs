using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Metrics;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Management;

public class UploadManagerTests
{
    private const int Size = 300_007;

    [Fact]
    public async Task Cancel_stops_running_append_and_removes_upload()
    {
        await using TestApp app = await StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.Chunked, app.Address, "f", 0, Size, Size);
        await sender.SendAsync(new byte[1000]);
        ManagedUpload upload = await WaitForAppendAsync(app);
        Assert.Equal((ManagedUploadState.Receiving, Size), (upload.State, upload.Length));
        Assert.Equal(1, (await Manager(app).GetStatisticsAsync()).ActiveAppends);

        Assert.Equal(UploadActionStatus.Succeeded, await Manager(app).CancelAsync(upload.Key));

        UploadReply? reply = await sender.ReadResponseAsync();
        Assert.InRange(reply!.Status, 400, 499);
        Assert.Null(await Manager(app).GetAsync(upload.Key));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        Assert.DoesNotContain(app.StoredFiles, path => path.Contains(upload.Key.Id, StringComparison.Ordinal));
        UploadStatistics statistics = await Manager(app).GetStatisticsAsync();
        Assert.Equal((0, 1), (statistics.ActiveAppends, (int)statistics.RecentPreemptions));
    }

    [Fact]
    public async Task Listing_does_not_stop_running_append()
    {
        await using TestApp app = await StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", 0, Size, Size);
        await sender.SendAsync(new byte[1000]);
        ManagedUpload upload = await WaitForAppendAsync(app);
        Assert.NotNull(await Manager(app).GetAsync(upload.Key));
        await sender.SendAsync(new byte[Size - 1000]);
        UploadReply? reply = await sender.ReadResponseAsync();
        Assert.Equal(200, reply?.Status);
        Assert.Equal(ManagedUploadState.Completed, Assert.Single((await Manager(app).ListAsync(new UploadListQuery())).Uploads).State);
    }

    [Fact]
    public async Task Cancel_releases_quota_of_owner()
    {
        await using TestApp app = await StartAsync(static options => options.Limits.MaxBytesPerOwner = 10);
        (await app.Client.AppendAsync("first", 0, new byte[8], 10)).Dispose();
        using HttpResponseMessage refused = await app.Client.AppendAsync("second", 0, new byte[8], 10);
        Assert.False(refused.IsSuccessStatusCode);
        ManagedUpload first = Assert.Single((await Manager(app).ListAsync(new UploadListQuery())).Uploads, static upload => upload.Offset == 8);

        Assert.Equal(UploadActionStatus.Succeeded, await Manager(app).CancelAsync(first.Key));

        using HttpResponseMessage accepted = await app.Client.AppendAsync("second", 0, new byte[8], 10);
        Assert.True(accepted.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Cancel_is_counted_as_cancellation()
    {
        await using TestApp app = await StartAsync();
        (await app.Client.AppendAsync("f", 0, new byte[8], 10)).Dispose();
        ManagedUpload upload = Assert.Single((await Manager(app).ListAsync(new UploadListQuery())).Uploads);
        using var metrics = new MetricLog(app.Services.GetRequiredService<IMeterFactory>());

        await Manager(app).CancelAsync(upload.Key);

        Assert.Equal(1, metrics.Sum("resumable_uploads.upload.canceled"));
    }

    [Fact]
    public async Task Statistics_count_refusals_by_problem_type_and_uploads_by_state()
    {
        await using TestApp app = await StartAsync();
        (await app.Client.AppendAsync("f", 0, new byte[8], 10)).Dispose();
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", 5, new byte[5], 10);
            Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        }

        UploadStatistics statistics = await Manager(app).GetStatisticsAsync();

        Assert.Equal(3, Assert.Single(statistics.RecentRefusals).Value);
        UploadStoreStatistics store = Assert.Single(statistics.Stores);
        Assert.Equal("FileSystemUploadStore", store.Name);
        Assert.NotNull(store.LastSweep);
        Assert.True(store.FreeSpace > 0);
    }

    [Fact]
    public async Task Statistics_have_totals_of_the_last_sweep()
    {
        string directory = System.IO.Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            await using (TestApp first = await StartAsync(directory: directory))
            {
                (await first.Client.AppendAsync("half", 0, new byte[8], 10)).Dispose();
                (await first.Client.AppendAsync("whole", 0, new byte[5], 5)).Dispose();
            }

            await using TestApp second = await StartAsync(directory: directory);
            UploadStoreStatistics store = null!;
            await Eventually.TrueAsync(
                async () => (store = Assert.Single((await Manager(second).GetStatisticsAsync()).Stores)).LastSweep is not null, "the store was swept");
            Assert.Equal(new UploadTotals(1, 8), store.Receiving);
            Assert.Equal(new UploadTotals(1, 5), store.Completed);
            Assert.Equal(default, store.DeadLettered);
        }
        finally
        {
            await TemporaryDirectory.DeleteAsync(directory);
        }
    }

    [Fact]
    public async Task Manager_serves_pages_of_the_app()
    {
        await using TestApp app = await TestApp.StartAsync(
            services: static builder =>
            {
                HeaderAuthentication.AddTo(builder);
                builder.Services.AddResumableUploads();
            },
            after: static app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapGet("/admin", static async (HttpContext context, IUploadManager manager) =>
                {
                    UploadPage page = await manager.ListAsync(new UploadListQuery { PageSize = 1, Continuation = context.Request.Query["after"] }, context.RequestAborted);
                    await context.Response.WriteAsync(string.Create(
                        CultureInfo.InvariantCulture, $"{page.Uploads.Single().Offset} {page.Continuation}"));
                }).RequireAuthorization();
            });
        (await app.Client.AppendAsync("first", 0, new byte[1], 10)).Dispose();
        (await app.Client.AppendAsync("second", 0, new byte[2], 10)).Dispose();
        using (HttpResponseMessage anonymous = await app.Client.GetAsync("/admin"))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
        }

        app.Client.DefaultRequestHeaders.Add(HeaderAuthentication.Header, "sub:1");
        string[] first = (await app.Client.GetStringAsync("/admin")).Split(' ');
        string[] second = (await app.Client.GetStringAsync("/admin?after=" + Uri.EscapeDataString(first[1]))).Split(' ');
        Assert.Equal(["1", "2"], new[] { first[0], second[0] }.Order());
        Assert.Empty(second[1]);
    }

    private static IUploadManager Manager(TestApp app) => app.Services.GetRequiredService<IUploadManager>();

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null, string? directory = null) => TestApp.StartAsync(
        options =>
        {
            options.FileSystem.SyncInterval = TimeSpan.FromMilliseconds(50);
            configure?.Invoke(options);
        },
        static builder => builder.Services.AddResumableUploads(),
        directory: directory);

    /// <summary>Waits until the store has bytes of a running append.</summary>
    private static async Task<ManagedUpload> WaitForAppendAsync(TestApp app)
    {
        ManagedUpload? upload = null;
        await Eventually.TrueAsync(
            async () =>
            {
                upload = (await Manager(app).ListAsync(new UploadListQuery())).Uploads.SingleOrDefault();
                return upload is { IsAppending: true, Offset: > 0 };
            },
            "bytes of the append are durable");
        return upload!;
    }
}
