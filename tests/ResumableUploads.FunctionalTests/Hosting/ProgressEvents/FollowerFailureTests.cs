using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Hosting.ProgressEvents;

/// <summary>Uploads that are followed while they cannot be read.</summary>
public class FollowerFailureTests
{
    private const string Url = "/upload?file-id=f";
    private const string StoreRequestFailed = "[302]";

    [Fact]
    public async Task Follower_gets_events_after_a_failure_of_the_store()
    {
        int failures = 0;
        bool fails = false;
        var store = new HookedStore(new MemoryUploadStore())
        {
            BeforeGet = _ =>
            {
                if (Volatile.Read(ref fails))
                {
                    Interlocked.Increment(ref failures);
                    throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
                }

                return Task.CompletedTask;
            },
        };
        await using TestApp app = await StartAsync(store);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        await follower.ReadAsync();
        Volatile.Write(ref fails, true);
        await Eventually.TrueAsync(() => Volatile.Read(ref failures) > 1 && CountFailures(app) > 0, "the follower has read again after a failure");
        Volatile.Write(ref fails, false);
        using HttpResponseMessage finished = await app.Client.FinishAsync(ProtocolClient.FileId, "/upload", 1000, new byte[1000]);

        await follower.ReadUntilAsync(static received => received.Name == "completed");
        Assert.Equal(1, CountFailures(app));
    }

    [Fact]
    public async Task Record_of_a_newer_version_is_a_failure_and_not_gone()
    {
        var store = new MemoryUploadStore();
        await using TestApp app = await StartAsync(store);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        await follower.ReadAsync();
        UploadInfo info = await store.ListAsync(new UploadQuery(), CancellationToken.None).SingleAsync();
        UpdateResult newer = await store.UpdateAsync(info.Key, info.Version, info.Record with { Data = """{"format":99}"""u8.ToArray() }, CancellationToken.None);

        using (Follower refused = await Follower.OpenAsync(app.Client, Url))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status);
            Assert.Contains("storage-failed", await refused.Response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await Eventually.TrueAsync(() => CountFailures(app) == 2, "the open follower has failed to read the record, too");
        await store.UpdateAsync(info.Key, newer.Info!.Version, info.Record, CancellationToken.None);
        using HttpResponseMessage finished = await app.Client.FinishAsync(ProtocolClient.FileId, "/upload", 1000, new byte[1000]);
        await follower.ReadUntilAsync(static received => received.Name == "completed");
    }

    [Fact]
    public async Task Upload_that_expires_ends_the_events_with_gone()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using TestApp app = await StartAsync(new MemoryUploadStore(timeProvider: time), time);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        await follower.ReadAsync();

        Task<ReceivedEvent?> end = follower.ReadAsync();
        await Eventually.TrueAsync(() => end.IsCompleted, "the upload is gone", () => time.Advance(ProgressEventStream.MinPause));
        Assert.Equal("gone", (await end)?.Name);
    }

    private static int CountFailures(TestApp app) => app.Log.Lines.Count(static line => line.Contains(StoreRequestFailed, StringComparison.Ordinal));

    private static async Task<TestApp> StartAsync(IUploadStore store, TimeProvider? time = null)
    {
        TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.ProgressEvents = true;
                options.Store = store;
                options.Timeouts.MaxAge = TimeSpan.FromMinutes(1);
            },
            builder =>
            {
                builder.Logging.SetMinimumLevel(LogLevel.Debug);
                builder.Services.AddSingleton(time ?? TimeProvider.System);
            });
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        return app;
    }
}
