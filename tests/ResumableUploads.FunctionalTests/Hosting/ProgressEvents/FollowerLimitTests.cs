using System.Net;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Hosting.ProgressEvents;

/// <summary>The number of connections that follow uploads.</summary>
public class FollowerLimitTests
{
    private const string Url = "/upload?file-id=f";

    [Fact]
    public async Task Follower_above_the_limit_of_an_upload_returns_429()
    {
        await using TestApp app = await StartAsync();
        var open = new List<Follower>();
        for (int i = 0; i < ProgressFollowers.MaxPerUpload; i++)
        {
            open.Add(await Follower.OpenAsync(app.Client, Url));
        }

        Assert.All(open, static follower => Assert.Equal(HttpStatusCode.OK, follower.Status));
        using (Follower refused = await Follower.OpenAsync(app.Client, Url))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
            Assert.Contains("urn:resumable-uploads:too-many-followers", await refused.Response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        open.ForEach(static follower => follower.Dispose());
        await Eventually.TrueAsync(
            async () =>
            {
                using Follower next = await Follower.OpenAsync(app.Client, Url);
                return next.Status == HttpStatusCode.OK;
            },
            "another client can follow");
    }

    [Fact]
    public async Task Follower_above_the_limit_of_the_process_returns_503()
    {
        await using TestApp app = await StartAsync();
        List<IDisposable> others = Fill(app, ProgressFollowers.MaxPerProcess, static i => new UploadKey($"owner{i}", "a"));
        using (Follower refused = await Follower.OpenAsync(app.Client, Url))
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "5"), (refused.Status, refused.Response.Header("Retry-After")));
            Assert.Contains("urn:resumable-uploads:too-many-followers", await refused.Response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        others[0].Dispose();
        using Follower next = await Follower.OpenAsync(app.Client, Url);
        Assert.Equal(HttpStatusCode.OK, next.Status);
    }

    [Fact]
    public async Task Anonymous_browsers_of_a_network_share_a_limit()
    {
        await using TestApp app = await StartAsync();
        (string, string) cookie = ("Cookie", $"resumable-uploads-owner={new string('A', 43)}");
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000, cookie);
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        string network = ClientNetwork.GetIfAnonymous(context, OwnerResolver.SharedAnonymousOwner)!;
        List<IDisposable> others = Fill(app, ProgressFollowers.MaxPerOwner, static i => new UploadKey($"browser-{i}", "a"), network);
        using (Follower refused = await Follower.OpenAsync(app.Client, Url, cookie))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        }

        others[0].Dispose();
        using Follower next = await Follower.OpenAsync(app.Client, Url, cookie);
        Assert.Equal(HttpStatusCode.OK, next.Status);
    }

    [Fact]
    public async Task Request_for_a_missing_upload_does_not_count()
    {
        TestApp? started = null;
        int? counted = null;
        var store = new HookedStore(new MemoryUploadStore())
        {
            BeforeGet = _ =>
            {
                counted = started is null ? null : GetFollowers(started).Count;
                return Task.CompletedTask;
            },
        };
        await using TestApp app = await StartAsync(options => options.Store = store);
        started = app;
        using Follower missing = await Follower.OpenAsync(app.Client, "/upload?file-id=missing");

        // While the upload is read, and afterwards.
        Assert.Equal((HttpStatusCode.NotFound, 0, 0), (missing.Status, counted, GetFollowers(app).Count));
    }

    [Fact]
    public async Task Response_without_events_does_not_count()
    {
        var store = new FailingStore();
        await using TestApp app = await StartAsync(options => options.Store = store);
        using HttpResponseMessage finished = await app.Client.FinishAsync(ProtocolClient.FileId, "/upload", 1000, new byte[1000]);
        using (Follower ended = await Follower.OpenAsync(app.Client, Url, ("Last-Event-ID", "completed-2000")))
        {
            Assert.Equal((HttpStatusCode.NoContent, 0), (ended.Status, GetFollowers(app).Count));
        }

        store.Failure = StoreFailure.Unavailable;
        using Follower failed = await Follower.OpenAsync(app.Client, Url);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, 0), (failed.Status, GetFollowers(app).Count));
        Assert.Contains("storage-failed", await failed.Response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Adds followers without connections.</summary>
    private static List<IDisposable> Fill(TestApp app, int count, Func<int, UploadKey> createKey, string? network = null)
    {
        var added = new List<IDisposable>();
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(FollowerLimit.None, GetFollowers(app).TryAdd(createKey(i), network, out IDisposable? follower));
            added.Add(follower!);
        }

        return added;
    }

    private static ProgressFollowers GetFollowers(TestApp app) => UploadDispatcherFactory.FindSharedServices(app.Services)!.ProgressFollowers;

    private static async Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null)
    {
        TestApp app = await TestApp.StartAsync(options =>
        {
            options.ProgressEvents = true;
            configure?.Invoke(options);
        });
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        return app;
    }
}
