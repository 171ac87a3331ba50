using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>HEAD requests (tus 1.0.0, Core, HEAD).</summary>
public class TusHeadTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task HEAD_returns_offset_at_zero_in_between_and_at_the_end(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[7]).StatusOfAsync());
        Assert.Equal(7, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 7, new byte[3]).StatusOfAsync());
        Assert.Equal(10, await app.Client.OffsetAsync(url));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task HEAD_of_complete_upload_returns_its_offset_with_StartOver(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.Handler.RepeatBehavior = RepeatBehavior.StartOver);
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(3, await app.Client.OffsetAsync(url));
        Assert.Equal(409, await app.Client.AppendChunkAsync(url, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(3, await app.Client.OffsetAsync(url));
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task HEAD_returns_length_or_defer_length_and_never_both(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string known = await app.Client.CreateAsync(TusApp.Url, 10);
        using (HttpResponseMessage head = await app.Client.TusAsync("HEAD", known))
        {
            Assert.Equal(("10", null), (head.Header("Upload-Length"), head.Header("Upload-Defer-Length")));
        }

        string deferred = await app.Client.CreateDeferredAsync(TusApp.Url);
        using (HttpResponseMessage head = await app.Client.TusAsync("HEAD", deferred))
        {
            Assert.Equal((null, "1"), (head.Header("Upload-Length"), head.Header("Upload-Defer-Length")));
        }

        Assert.Equal(204, await app.Client.AppendChunkAsync(deferred, 0, new byte[2], ("Upload-Length", "10")).StatusOfAsync());
        using HttpResponseMessage later = await app.Client.TusAsync("HEAD", deferred);
        Assert.Equal(("10", null), (later.Header("Upload-Length"), later.Header("Upload-Defer-Length")));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task HEAD_response_is_not_cacheable_and_has_no_body(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync($"HEAD {url}", "Tus-Resumable: 1.0.0");
        RawResponse? head = await connection.ReadResponseAsync(toHead: true);
        Assert.Equal((200, "no-store"), (head?.Status, head?.Header("Cache-Control")));
        Assert.Contains(head!.Header("Content-Length"), new[] { null, "0" });
        Assert.Null(head.Header("Content-Type"));

        // The next message on the connection is the next response, so the first one had no body.
        await connection.SendHeadAsync($"HEAD {url}", "Tus-Resumable: 1.0.0");
        Assert.Equal(200, (await connection.ReadResponseAsync(toHead: true))?.Status);
    }

    /// <summary>No retry helps, so the client sends the file again.</summary>
    [Fact]
    public async Task HEAD_of_damaged_upload_returns_503()
    {
        var store = new FailingStore();
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, options => options.Store = store);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        store.Failure = StoreFailure.Corrupt;
        Assert.Equal(503, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task HEAD_of_unknown_upload_returns_404_without_offset(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        string[] others = [url[..^1] + (url[^1] == '0' ? '1' : '0'), url[..^1], url + "0", url[..^40] + new string('Z', 40), url[..^40] + "..%2f.."];
        foreach (string other in others)
        {
            using HttpResponseMessage head = await app.Client.TusAsync("HEAD", other);
            Assert.Equal((404, null), ((int)head.StatusCode, head.Header("Upload-Offset")));
        }
    }

    [Theory]
    [InlineData("filename YS50eHQ=")]
    [InlineData("filename YS50eHQ=, is_confidential")]
    [InlineData("relativePath bnVsbA==,name YS50eHQ=,type dGV4dC9wbGFpbg==,odd!#$%&'*+-.^_`|~ AAEC/w==")]
    [InlineData("k")]
    [InlineData("filename YS50eHQ=,")]
    [InlineData("filename YS50eHQ=\t, \tfiletype dGV4dA==,, ,")]
    [InlineData("filename YS50eHQ")]
    [InlineData("filename not-base64!")]
    [InlineData("filetype /w==")]
    public async Task HEAD_returns_metadata_byte_for_byte(string metadata)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 3, ("Upload-Metadata", metadata));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[3]).StatusOfAsync());
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync($"HEAD {url}", "Tus-Resumable: 1.0.0");
        Assert.Equal(metadata, (await connection.ReadResponseAsync(toHead: true))?.Header("Upload-Metadata"));
    }

    [Fact]
    public async Task HEAD_without_metadata_returns_no_metadata_header()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", url);
        Assert.Null(head.Header("Upload-Metadata"));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task HEAD_with_failing_store_returns_423(string place)
    {
        var store = new FailingStore();
        await using TusApp app = await TusApp.StartAsync(place, options => options.Store = store);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        store.Failure = StoreFailure.Unavailable;
        foreach (string method in new[] { "HEAD", "POST" })
        {
            using HttpResponseMessage head = await app.Client.TusAsync(method, url, null, ("X-HTTP-Method-Override", "HEAD"));
            Assert.Equal((423, "5", null), ((int)head.StatusCode, head.Header("Retry-After"), head.Header("Upload-Offset")));
        }

        Assert.Equal(503, await app.Client.AppendChunkAsync(url, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(503, await app.Client.TusAsync("DELETE", url).StatusOfAsync());
        store.Failure = StoreFailure.Full;
        Assert.Equal(423, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
        store.Failure = null;
        Assert.Equal(0, await app.Client.OffsetAsync(url));
    }
}
