using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>Creation and deferred lengths (tus 1.0.0, Creation).</summary>
public class TusCreationTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Creation_requires_exactly_one_of_length_and_defer_length(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url).StatusOfAsync());
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "5"), ("Upload-Defer-Length", "1")).StatusOfAsync());
        Assert.Equal(201, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "5")).StatusOfAsync());
        Assert.Equal(201, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Defer-Length", "1")).StatusOfAsync());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("2")]
    [InlineData("true")]
    [InlineData("1,1")]
    [InlineData("")]
    public async Task Upload_Defer_Length_other_than_1_returns_400(string value)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Defer-Length", value)).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Creation_returns_201_with_unguessable_location(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        foreach (string at in new[] { TusApp.Url, TusApp.Url + "/", TusApp.Url + "?a=b%20c" })
        {
            string location = await app.Client.CreateAsync(at, 5);
            Assert.Matches("^/files[/?](.*\\.)?[0-9a-f]{40}(\\?a=b%20c)?$", location);
            Assert.NotEqual(location, await app.Client.CreateAsync(at, 5));
            Assert.Equal(0, await app.Client.OffsetAsync(location));
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_url_may_end_with_a_slash(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 5);
        string slash = place == TusApp.Endpoint ? url.Replace("?", "/?", StringComparison.Ordinal) : url + "/";
        Assert.Equal(204, await app.Client.AppendChunkAsync(slash, 0, new byte[2]).StatusOfAsync());
        Assert.Equal(2, await app.Client.OffsetAsync(slash));
        Assert.Equal(2, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.TusAsync("DELETE", slash).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Length_above_maximum_returns_413(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        Assert.Equal(201, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "100")).StatusOfAsync());
        Assert.Equal(413, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "101")).StatusOfAsync());
        Assert.Equal(413, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "9223372036854775807")).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Creation_of_empty_upload_completes_it_once(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 0);
        Assert.Empty(Assert.Single(app.Seen).Content);
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, []).StatusOfAsync());
        Assert.Single(app.Seen);
    }

    [Theory]
    [InlineData(",filename YS50eHQ=")]
    [InlineData("filename YS50eHQ=,,filetype dGV4dA==")]
    [InlineData("filename  YS50eHQ=")]
    [InlineData("filename YS50eHQ= x")]
    [InlineData("filename YS50eHQ=,filename YS50eHQ=")]
    [InlineData("filename YS5\t0eHQ=")]
    [InlineData("file\x7fname YS50eHQ=")]
    public async Task Malformed_metadata_returns_400(string metadata)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "5"), ("Upload-Metadata", metadata)).StatusOfAsync());
    }

    [Theory]
    [InlineData("filename YS5\t0eHQ=")]
    [InlineData("file\x7fname YS50eHQ=")]
    [InlineData("fil\u00e9name YS50eHQ=")]
    [InlineData("filename YS50eHQ=\x01")]
    public async Task Metadata_that_is_invalid_in_a_header_is_rejected_at_creation(string metadata)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, onKestrel: true);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync($"POST {TusApp.Url}", "Tus-Resumable: 1.0.0", "Upload-Length: 3", $"Upload-Metadata: {metadata}", "Content-Length: 0");
        Assert.Equal(400, (await connection.ReadResponseAsync())?.Status);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task File_name_in_Latin1_is_read(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        await app.Client.CreateAsync(TusApp.Url, 0, ("Upload-Metadata", "filename 5i50eHQ="));
        Assert.Equal("\u00e6.txt", Assert.Single(app.Seen).FileName);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Handler_sees_file_name_and_content_type(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 1, ("Upload-Metadata", "name w7YudHh0,filetype dGV4dC9wbGFpbg=="));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, [1]).StatusOfAsync());
        ReceivedFile file = Assert.Single(app.Seen);
        Assert.Equal(("\u00f6.txt", "text/plain"), (file.FileName, file.ContentType));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Deferred_length_is_set_once(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateDeferredAsync(TusApp.Url);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[5]).StatusOfAsync());
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 5, [], ("Upload-Length", "4")).StatusOfAsync());
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 5, new byte[1], ("Upload-Length", "4")).StatusOfAsync());
        Assert.Equal(413, await app.Client.AppendChunkAsync(url, 5, [], ("Upload-Length", "101")).StatusOfAsync());
        Assert.Equal(413, await app.Client.AppendChunkAsync(url, 5, new byte[6], ("Upload-Length", "10")).StatusOfAsync());
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 5, [], ("Upload-Length", "10"), ("Upload-Defer-Length", "1")).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 5, new byte[2], ("Upload-Length", "10")).StatusOfAsync());
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 7, new byte[3], ("Upload-Length", "11")).StatusOfAsync());
        Assert.Equal(7, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 7, new byte[3], ("Upload-Length", "10")).StatusOfAsync());
        Assert.Equal(new byte[10], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Deferred_length_with_empty_last_chunk_completes_upload(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateDeferredAsync(TusApp.Url);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[5]).StatusOfAsync());
        Assert.Empty(app.Seen);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 5, [], ("Upload-Length", "5")).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 5, [], ("Upload-Length", "5")).StatusOfAsync());
        Assert.Equal(new byte[5], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Bytes_without_known_length_respect_the_maximum(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateDeferredAsync(TusApp.Url);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[90]).StatusOfAsync());
        Assert.Equal(413, await app.Client.AppendChunkAsync(url, 90, new byte[11]).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 90, new byte[10]).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task POST_creates_only_at_the_creation_url(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 5);
        Assert.Equal(405, await app.Client.TusAsync("POST", url, null, ("Upload-Length", "5")).StatusOfAsync());
        Assert.Equal(404, await app.Client.TusAsync("POST", "/elsewhere", null, ("Upload-Length", "5")).StatusOfAsync());
        Assert.Equal(405, await app.Client.AppendChunkAsync(TusApp.Url, 0, [1]).StatusOfAsync());
        Assert.Equal(405, await app.Client.TusAsync("DELETE", TusApp.Url).StatusOfAsync());
    }
}
