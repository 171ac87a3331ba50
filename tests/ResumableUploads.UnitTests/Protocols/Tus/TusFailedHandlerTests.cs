using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>HEAD for an upload that has all its bytes and whose handler has not succeeded. A client treats the full offset as success.</summary>
public class TusFailedHandlerTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Head_runs_failed_handler_again(string place)
    {
        await using TusApp app = await TusApp.StartAsync(
            place, answer: static call => call < 3 ? throw new InvalidOperationException("not yet") : new HandlerResponse(200, "done"));
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(503, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        using (HttpResponseMessage failed = await app.Client.TusAsync("HEAD", url))
        {
            Assert.Equal((423, null, "10"), ((int)failed.StatusCode, failed.Header("Upload-Offset"), failed.Header("Retry-After")));
        }

        Assert.Equal(3, await app.Client.OffsetAsync(url));
        Assert.Equal(3, await app.Client.OffsetAsync(url));
        Assert.Equal(3, app.Seen.Count);
        using HttpResponseMessage replayed = await app.Client.AppendChunkAsync(url, 3, [], ("Prefer", "return=representation"));
        Assert.Equal((200, "done"), ((int)replayed.StatusCode, await replayed.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(403)]
    public async Task Head_after_response_that_is_not_final_returns_423(int status)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint, answer: call => new HandlerResponse(call < 3 ? status : 204));
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(status, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        using (HttpResponseMessage failed = await app.Client.TusAsync("HEAD", url))
        {
            Assert.Equal((423, null, "10"), ((int)failed.StatusCode, failed.Header("Upload-Offset"), failed.Header("Retry-After")));
        }

        Assert.Equal(3, await app.Client.OffsetAsync(url));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Head_of_dead_lettered_upload_returns_500(string place)
    {
        await using TusApp app = await TusApp.StartAsync(
            place, static options => options.Handler.MaxAttempts = 1, static _ => throw new InvalidOperationException("never"));
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(503, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", url);
        Assert.Equal((500, null), ((int)head.StatusCode, head.Header("Upload-Offset")));
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Head_during_the_handler_waits_for_its_result(string place)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new ManualResetEventSlim();
        await using TusApp app = await TusApp.StartAsync(place, answer: _ =>
        {
            started.SetResult();
            Assert.True(release.Wait(Timeout));
            return null;
        });
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Task<int> last = Task.Run(() => app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        await started.Task.WaitAsync(Timeout);
        Task<long> offset = app.Client.OffsetAsync(url);
        release.Set();
        Assert.Equal((3, 204), (await offset.WaitAsync(Timeout), await last.WaitAsync(Timeout)));
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Head_after_the_completion_timeout_returns_423(string place)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new ManualResetEventSlim();
        await using TusApp app = await TusApp.StartAsync(place, static options => options.Handler.CompletionTimeout = TimeSpan.FromMilliseconds(1), _ =>
        {
            started.SetResult();
            Assert.True(release.Wait(Timeout));
            return null;
        });
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Task<int> last = Task.Run(() => app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        await started.Task.WaitAsync(Timeout);
        using (HttpResponseMessage head = await app.Client.TusAsync("HEAD", url))
        {
            Assert.Equal((423, null, "5"), ((int)head.StatusCode, head.Header("Upload-Offset"), head.Header("Retry-After")));
        }

        release.Set();
        await last.WaitAsync(Timeout);
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Head_of_final_upload_runs_failed_handler_again(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, answer: static call => call < 3 ? throw new InvalidOperationException("not yet") : null);
        string part = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Concat", "partial"));
        Assert.Equal(204, await app.Client.AppendChunkAsync(part, 0, [1, 2, 3]).StatusOfAsync());
        Assert.Equal(3, await app.Client.OffsetAsync(part));
        Assert.Empty(app.Seen);
        using HttpResponseMessage final = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{part}"));
        Assert.Equal(503, (int)final.StatusCode);
        string url = final.Header("Location")!;
        using (HttpResponseMessage failed = await app.Client.TusAsync("HEAD", url))
        {
            Assert.Equal((423, null), ((int)failed.StatusCode, failed.Header("Upload-Offset")));
        }

        Assert.Equal(2, app.Seen.Count);
        Assert.Equal(3, await app.Client.OffsetAsync(url));
        Assert.Equal([1, 2, 3], app.Seen.Last().Content);
        Assert.Equal(3, app.Seen.Count);
    }
}
