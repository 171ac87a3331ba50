using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>GET on an upload URL. Caches convert HEAD to GET, so that both return the same (docs/protocols/tus.md#core-head).</summary>
public class TusGetTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task GET_returns_the_headers_of_HEAD_and_no_body(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 5, ("Upload-Metadata", "filename YS50eHQ="));
        await AssertSameAsHeadAsync(app.Client, url, 200, "0");
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[3]).StatusOfAsync());
        await AssertSameAsHeadAsync(app.Client, url, 200, "3");
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 3, new byte[2]).StatusOfAsync());
        await AssertSameAsHeadAsync(app.Client, url, 200, "5");
        await AssertSameAsHeadAsync(app.Client, await app.Client.CreateDeferredAsync(TusApp.Url), 200, "0");
        Assert.Equal(204, await app.Client.TusAsync("DELETE", url).StatusOfAsync());
        await AssertSameAsHeadAsync(app.Client, url, 404, null);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task GET_with_failing_store_returns_423_that_no_cache_stores(string place)
    {
        var store = new FailingStore();
        await using TusApp app = await TusApp.StartAsync(place, options => (options.Store, options.AllowDownload) = (store, place == TusApp.Mapped), onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        store.Failure = StoreFailure.Unavailable;
        using HttpResponseMessage failed = await app.Client.TusAsync("GET", url);
        Assert.Equal((423, "5", "no-store"), ((int)failed.StatusCode, failed.Header("Retry-After"), failed.Header("Cache-Control")));
        Assert.Equal((null, "application/problem+json"), (failed.Header("Upload-Offset"), failed.Header("Content-Type")));
        store.Failure = null;
        await AssertSameAsHeadAsync(app.Client, url, 200, "0");
    }

    [Fact]
    public async Task GET_does_not_download_content_whose_response_was_lost()
    {
        var store = new HookedStore(new MemoryUploadStore());
        await using TusApp app = await TusApp.StartAsync(
            TusApp.Endpoint, options => (options.Store, options.AllowDownload) = (store, true), static _ => new HandlerResponse(422, "malware found"), onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 2);
        Assert.Equal(422, await app.Client.AppendChunkAsync(url, 0, [1, 2]).StatusOfAsync());
        store.HasLostResponses = true;

        using HttpResponseMessage download = await app.Client.GetAsync(url);
        Assert.NotEqual(200, (int)download.StatusCode);
        Assert.Null(download.Header("Content-Disposition"));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task GET_runs_failed_handler_again(string place)
    {
        await using TusApp app = await TusApp.StartAsync(
            place, answer: static call => call < 3 ? throw new InvalidOperationException("not yet") : null, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(503, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        using (HttpResponseMessage failed = await app.Client.TusAsync("GET", url))
        {
            Assert.Equal((423, null), ((int)failed.StatusCode, failed.Header("Upload-Offset")));
        }

        using HttpResponseMessage complete = await app.Client.TusAsync("GET", url);
        Assert.Equal((200, "3"), ((int)complete.StatusCode, complete.Header("Upload-Offset")));
        Assert.Equal(3, app.Seen.Count);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task GET_preempts_running_append(string place)
    {
        byte[] file = new byte[2 << 20];
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
        (string url, RawConnection stalled) = await app.StallAsync(file, 1 << 20);
        await using (stalled)
        {
            using HttpResponseMessage get = await app.Client.TusAsync("GET", url);
            Assert.Equal((200, $"{1 << 20}"), ((int)get.StatusCode, get.Header("Upload-Offset")));
            Assert.Equal(400, (await stalled.ReadResponseAsync())?.Status);
        }
    }

    /// <summary>The paths of an app's own GET endpoint and of its uploads are the same.</summary>
    [Fact]
    public async Task GET_on_upload_of_endpoint_does_not_reach_GET_endpoint_of_the_app()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapGet("/files", static () => "list");
                app.MapPost("/files", static () => "created").WithResumableUploads();
            },
            static options => options.UseMemoryStore());
        string url = await app.Client.CreateAsync("/files", 3);
        await AssertSameAsHeadAsync(app.Client, url, 200, "0");
        Assert.Equal("list", await app.Client.GetStringAsync("/files"));
    }

    private static async Task AssertSameAsHeadAsync(HttpClient client, string url, int status, string? offset)
    {
        using HttpResponseMessage head = await client.TusAsync("HEAD", url);
        using HttpResponseMessage get = await client.TusAsync("GET", url);
        Assert.Equal((status, offset, "no-store", "1.0.0"), ((int)get.StatusCode, get.Header("Upload-Offset"), get.Header("Cache-Control"), get.Header("Tus-Resumable")));
        Assert.Equal(HeadersOf(head), HeadersOf(get));
        Assert.Equal(status == 200, (await get.Content.ReadAsByteArrayAsync()).Length == 0);
    }

    private static SortedDictionary<string, string> HeadersOf(HttpResponseMessage response) => new(response.Headers
        .Concat(response.Content.Headers)
        .Where(static header => header.Key is not ("Date" or "Content-Length"))
        .ToDictionary(static header => header.Key, static header => string.Join(", ", header.Value)), StringComparer.Ordinal);
}
