using System.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>Downloads of complete uploads (docs/protocols/tus.md#downloads).</summary>
public class TusDownloadTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Download_is_an_attachment_with_ranges_and_entity_tag(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.AllowDownload = true);
        string url = await UploadAsync(app, "image/png", "a b.png");
        using HttpResponseMessage whole = await app.Client.GetAsync(url);
        Assert.Equal((200, "image/png", "nosniff"), ((int)whole.StatusCode, whole.Header("Content-Type"), whole.Header("X-Content-Type-Options")));
        Assert.StartsWith("attachment", whole.Header("Content-Disposition"), StringComparison.Ordinal);
        Assert.Contains("a b.png", whole.Header("Content-Disposition"), StringComparison.Ordinal);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], await whole.Content.ReadAsByteArrayAsync());

        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(2, 4);
        using HttpResponseMessage range = await app.Client.SendAsync(request);
        Assert.Equal((206, "bytes 2-4/10"), ((int)range.StatusCode, range.Header("Content-Range")));
        Assert.Equal([2, 3, 4], await range.Content.ReadAsByteArrayAsync());

        using var again = new HttpRequestMessage(HttpMethod.Get, url);
        again.Headers.IfNoneMatch.Add(whole.Headers.ETag!);
        using HttpResponseMessage unchanged = await app.Client.SendAsync(again);
        Assert.Equal(304, (int)unchanged.StatusCode);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/svg+xml")]
    [InlineData("application/javascript")]
    [InlineData("nonsense")]
    public async Task Download_replaces_content_type_that_browsers_could_execute(string type)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, static options => options.AllowDownload = true);
        using HttpResponseMessage whole = await app.Client.GetAsync(await UploadAsync(app, type, "x.html"));
        Assert.Equal("application/octet-stream", whole.Header("Content-Type"));
        Assert.Contains("sandbox", whole.Header("Content-Security-Policy"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_is_not_cached_for_others_and_has_a_safe_file_name()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, static options => options.AllowDownload = true);
        using HttpResponseMessage whole = await app.Client.GetAsync(await UploadAsync(app, "image/png", "../a/CON:\"b.png"));
        Assert.Equal("no-cache, private", whole.Header("Cache-Control"));
        Assert.Matches("filename=\"?[^\"/:.]+\\.png", whole.Header("Content-Disposition"));
    }

    [Fact]
    public async Task Download_before_the_handler_has_accepted_the_content_returns_404()
    {
        bool fails = true;
        await using TusApp app = await TusApp.StartAsync(
            TusApp.Mapped, static options => options.AllowDownload = true, answer: _ => fails ? throw new InvalidOperationException("not yet") : null);
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        using HttpResponseMessage failed = await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]);
        using HttpResponseMessage early = await app.Client.GetAsync(url);
        Assert.Equal((503, 404), ((int)failed.StatusCode, (int)early.StatusCode));
        fails = false;
        using HttpResponseMessage accepted = await app.Client.AppendChunkAsync(url, 3, []);
        using HttpResponseMessage whole = await app.Client.GetAsync(url);
        Assert.Equal((204, 200), ((int)accepted.StatusCode, (int)whole.StatusCode));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task GET_with_version_before_the_handler_has_accepted_the_content_returns_423(string place)
    {
        await using TusApp app = await TusApp.StartAsync(
            place, static options => options.AllowDownload = true, static _ => throw new InvalidOperationException("not yet"));
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        using HttpResponseMessage failed = await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]);
        using HttpResponseMessage early = await app.Client.TusAsync("GET", url);
        Assert.Equal((503, 423), ((int)failed.StatusCode, (int)early.StatusCode));
    }

    [Fact]
    public async Task Download_of_an_upload_that_is_replaced_meanwhile_returns_404()
    {
        var stored = new MemoryUploadStore();
        var store = new HookedStore(stored);
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => (options.AllowDownload, options.Store) = (true, store));
        string url = await UploadAsync(app, "image/png", "a.png");
        store.BeforeOpenRead = async key =>
        {
            store.BeforeOpenRead = null;
            UploadInfo info = (await stored.GetAsync(key, default))!;

            // The record of a later upload with the same key.
            EngineRecord later = EngineRecord.From(info);
            later.Created = later.Created.AddDays(1);
            await stored.UpdateAsync(key, info.Version, info.Record with { Data = later.ToBytes() }, default);
        };
        using HttpResponseMessage replaced = await app.Client.GetAsync(url);
        Assert.Equal(404, (int)replaced.StatusCode);
        using HttpResponseMessage current = await app.Client.GetAsync(url);
        Assert.Equal(200, (int)current.StatusCode);
    }

    [Theory]
    [InlineData(TusApp.ReadyMade, true)]
    [InlineData(TusApp.Mapped, false)]
    [InlineData(TusApp.Endpoint, true)]
    public async Task Download_has_the_headers_of_HEAD(string place, bool hasVersion)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.AllowDownload = true);
        string url = await UploadAsync(app, "image/png", "a.png");
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", url);
        using HttpResponseMessage whole = hasVersion ? await app.Client.TusAsync("GET", url) : await app.Client.GetAsync(url);
        Assert.Equal((200, "10", "1.0.0"), ((int)whole.StatusCode, whole.Header("Upload-Offset"), whole.Header("Tus-Resumable")));
        string[] names = ["Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires"];
        Assert.Equal(names.Select(head.Header), names.Select(whole.Header));
        Assert.Equal(hasVersion ? "no-store" : "no-cache, private", whole.Header("Cache-Control"));
        Assert.Equal(10, (await whole.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task GET_with_version_of_upload_without_content_to_download_returns_status()
    {
        await using TusApp app = await TusApp.StartAsync(
            TusApp.Endpoint, static options => options.AllowDownload = true, static _ => new HandlerResponse(422));
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        foreach (string offset in new[] { "0", "3" })
        {
            using HttpResponseMessage status = await app.Client.TusAsync("GET", url);
            Assert.Equal((200, offset, "no-store"), ((int)status.StatusCode, status.Header("Upload-Offset"), status.Header("Cache-Control")));
            Assert.Empty(await status.Content.ReadAsByteArrayAsync());
            Assert.Equal(offset == "0" ? 422 : 409, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
        }
    }

    [Fact]
    public async Task GET_without_version_and_without_option_returns_412()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        using HttpResponseMessage rejected = await app.Client.GetAsync(await UploadAsync(app, "image/png", "a.png"));
        Assert.Equal(412, (int)rejected.StatusCode);
    }

    [Fact]
    public async Task Download_of_incomplete_unknown_or_foreign_upload_returns_404()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, static options =>
        {
            options.AllowDownload = true;
            options.Owner = static context => context.Request.Headers["X-User"].ToString();
        });
        string open = await app.Client.CreateAsync(TusApp.Url, 10);
        string done = await UploadAsync(app, "image/png", "a.png");
        using var other = new HttpRequestMessage(HttpMethod.Get, done);
        other.Headers.Add("X-User", "bob");
        using HttpResponseMessage foreign = await app.Client.SendAsync(other);
        using HttpResponseMessage unfinished = await app.Client.GetAsync(open);
        using HttpResponseMessage unknown = await app.Client.GetAsync($"{TusApp.Url}/{new string('0', 40)}");
        Assert.Equal((404, 404, 404), ((int)foreign.StatusCode, (int)unfinished.StatusCode, (int)unknown.StatusCode));
    }

    [Fact]
    public async Task Download_with_failing_store_returns_503()
    {
        var store = new FailingStore();
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => (options.AllowDownload, options.Store) = (true, store));
        string url = await UploadAsync(app, "image/png", "a.png");
        store.Failure = StoreFailure.Unavailable;
        using HttpResponseMessage failed = await app.Client.GetAsync(url);
        Assert.Equal((503, "application/problem+json"), ((int)failed.StatusCode, failed.Header("Content-Type")));
        Assert.NotNull(failed.Header("Retry-After"));
    }

    private static async Task<string> UploadAsync(TusApp app, string type, string name)
    {
        string url = await app.Client.CreateAsync(TusApp.Url, 10, ("Upload-Metadata",
            $"filename {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(name))},filetype {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(type))}"));
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(url, 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.True(chunk.IsSuccessStatusCode);
        return url;
    }
}
