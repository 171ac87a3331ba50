using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.ProgressEvents;

/// <summary>The end of connections that follow an upload.</summary>
public class FollowerLifetimeTests
{
    private const string Url = "/upload?file-id=f";

    [Fact]
    public async Task Follower_that_disconnects_leaves_no_timer()
    {
        var time = new TimerCounter(static dueTime => dueTime == ProgressEventResponder.MaxDuration);
        await using TestApp app = await StartAsync(time);
        using (Follower follower = await Follower.OpenAsync(app.Client, Url))
        {
            await follower.ReadAsync();
            Assert.Equal(1, time.Active);
        }

        await Eventually.TrueAsync(() => time.Active == 0, "the timer of the time limit is disposed");
        await Eventually.TrueAsync(() => GetFollowers(app).Count == 0, "the follower is removed");
    }

    [Fact]
    public async Task Follower_ends_when_the_server_stops()
    {
        await using TestApp app = await StartAsync(TimeProvider.System);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        await follower.ReadAsync();

        // The client of the app would end the connection itself.
        var lifetime = app.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHostApplicationLifetime>();
        lifetime.StopApplication();

        Assert.Null(await follower.ReadAsync());
    }

    [Fact]
    public async Task Follower_gets_comments_until_the_maximum_duration()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var pauses = new TimerCounter(IsPause, time);
        await using TestApp app = await StartAsync(pauses);
        int others = pauses.Active;
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        await follower.ReadAsync();
        long start = time.GetTimestamp();

        Task<ReceivedEvent?> end = follower.ReadAsync();
        await Eventually.TrueAsync(
            () => end.IsCompleted,
            "the stream ends",
            () =>
            {
                // The time stands still while the server reads and writes, however slow it is.
                if (pauses.Active > others)
                {
                    time.Advance(ProgressEventStream.MaxPause);
                }
            });

        Assert.Null(await end);
        Assert.InRange(follower.Comments, 1, (int)(time.GetElapsedTime(start) / ProgressEventStream.KeepAliveInterval));
        Assert.True(time.GetElapsedTime(start) >= ProgressEventResponder.MaxDuration);
    }

    private static bool IsPause(TimeSpan dueTime) => dueTime >= ProgressEventStream.MinPause && dueTime <= ProgressEventStream.MaxPause;

    private static ProgressFollowers GetFollowers(TestApp app) => UploadDispatcherFactory.FindSharedServices(app.Services)!.ProgressFollowers;

    private static async Task<TestApp> StartAsync(TimeProvider time)
    {
        TestApp app = await TestApp.StartAsync(static options => options.ProgressEvents = true, builder => builder.Services.AddSingleton(time));
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        return app;
    }
}
