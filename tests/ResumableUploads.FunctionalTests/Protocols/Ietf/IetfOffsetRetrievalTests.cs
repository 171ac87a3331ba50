using System.Text;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Offset retrieval (draft-ietf-httpbis-resumable-upload-12, section 4.3).</summary>
public class IetfOffsetRetrievalTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task HEAD_returns_offset_completeness_length_and_limits(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, static options => options.MaxUploadSize = 1000);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], Newest, ("Upload-Length", "10"));
        string url = created.Header("Location")!;
        using HttpResponseMessage head = await app.Client.HeadAsync(url);
        Assert.Equal((204, "4", "?0"), head.State());
        Assert.Equal(("10", "no-store"), (head.Header("Upload-Length"), head.Header("Cache-Control")));
        Assert.Matches("^max-size=1000, max-age=[0-9]+$", head.Header("Upload-Limit"));

        using HttpResponseMessage last = await app.Client.AppendAsync(url, 4, true, File[4..]);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        using HttpResponseMessage after = await app.Client.HeadAsync(url);
        Assert.Equal((204, "10", "?1"), after.State());
        Assert.Equal(("10", "no-store"), (after.Header("Upload-Length"), after.Header("Cache-Control")));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task GET_returns_the_same_as_HEAD(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4]);
        using HttpResponseMessage get = await app.Client.IetfAsync("GET", created.Header("Location")!, Newest);
        Assert.Equal((204, "4", "?0"), get.State());
        Assert.Equal("no-store", get.Header("Cache-Control"));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task GET_returns_the_same_as_HEAD_in_every_version(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], version, ("Upload-Length", "10"));
        string url = created.Header("Location")!;
        foreach (string target in new[] { url, url[..^40] + new string('0', 40) })
        {
            using HttpResponseMessage head = await app.Client.HeadAsync(target, version);
            using HttpResponseMessage get = await app.Client.IetfAsync("GET", target, version);
            Assert.Equal((target == url ? 204 : 404, "no-store"), ((int)get.StatusCode, get.Header("Cache-Control")));
            Assert.Equal(head.StatusCode, get.StatusCode);
            string[] names = ["Upload-Offset", "Upload-Complete", "Upload-Incomplete", "Upload-Length", "Upload-Draft-Interop-Version"];
            Assert.Equal(names.Select(head.Header), names.Select(get.Header));
        }

        using HttpResponseMessage last = await app.Client.AppendAsync(url, 4, true, File[4..], version);
        using HttpResponseMessage complete = await app.Client.IetfAsync("GET", url, version);
        Assert.Equal((204, "10"), ((int)complete.StatusCode, complete.Header("Upload-Offset")));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Download_has_the_status_headers_in_every_version(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, configure: static options => options.AllowDownload = true);
        using HttpResponseMessage created = await app.Client.CreateAsync(true, File, version);
        using HttpResponseMessage content = await app.Client.IetfAsync("GET", created.Header("Location")!, version);
        Assert.Equal((200, "10", "10"), ((int)content.StatusCode, content.Header("Upload-Offset"), content.Header("Upload-Length")));
        Assert.Equal(version == 3 ? "?0" : "?1", content.Header(version == 3 ? "Upload-Incomplete" : "Upload-Complete"));
        Assert.Equal(File, await content.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Completeness_is_true_only_with_a_final_response(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, answer: static call => call == 1 ? new HandlerResponse(503, "Later.") : null);
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage failed = await app.Client.AppendAsync(url, 0, true, File);
        Assert.Equal((503, "10", "?0"), failed.State());
        Assert.Equal((10, false), await app.Client.StateAsync(url));

        using HttpResponseMessage again = await app.Client.AppendAsync(url, 10, true, []);
        Assert.Equal("?1", again.Header("Upload-Complete"));
        Assert.Equal((10, true), await app.Client.StateAsync(url));
        Assert.Equal(2, app.Seen.Count);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task HEAD_returns_204_in_every_version(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync(version);
        using HttpResponseMessage head = await app.Client.HeadAsync(url, version);
        Assert.Equal((204, "0"), ((int)head.StatusCode, head.Header("Upload-Offset")));
        Assert.Equal(version == 3 ? ("?1", null) : (null, "?0"), (head.Header("Upload-Incomplete"), head.Header("Upload-Complete")));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Append_headers_on_HEAD_GET_and_DELETE_are_rejected_up_to_version_6(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync(version);
        foreach (string method in new[] { "HEAD", "GET", "DELETE" })
        {
            foreach ((string, string) header in new[] { ("Upload-Offset", "0"), Completeness(version, true), ("Upload-Length", "0") })
            {
                using HttpResponseMessage response = await app.Client.IetfAsync(method, url, version, null, header);
                Assert.Equal((method, header, version <= 6 ? 400 : 204), (method, header, (int)response.StatusCode));
                if (method == "DELETE" && version > 6)
                {
                    url = await app.Client.BeginAsync(version);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Request_to_unknown_upload_returns_404(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = $"{IetfApp.Url}?resumable-upload={new string('0', 40)}";
        using HttpResponseMessage head = await app.Client.HeadAsync(url, version);
        Assert.Equal((404, null, version == 3 ? null : "?0"), head.State());
        using HttpResponseMessage append = await app.Client.AppendAsync(url, 0, true, File, version);
        await append.ProblemAsync(404, Own + "not-found");
        using HttpResponseMessage delete = await app.Client.IetfAsync("DELETE", url, version);
        await delete.ProblemAsync(404, Own + "not-found");
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Returned_offset_is_accepted_by_next_append(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        string url = await app.Client.BeginAsync();
        long last = 0;
        for (int i = 0; i < File.Length; i++)
        {
            (long offset, _) = (await app.Client.StateAsync(url))!.Value;
            Assert.True(offset >= last);
            last = offset;
            using HttpResponseMessage appended = await app.Client.AppendAsync(url, offset, i == File.Length - 1, [File[i]]);
            Assert.True(appended.IsSuccessStatusCode);
        }

        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData(TusApp.ReadyMade)]
    [InlineData(TusApp.Endpoint)]
    public async Task Requests_without_version_are_processed(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], null);
        Assert.Equal((201, "4", "?0"), created.State());
        string url = created.Header("Location")!;
        foreach (string method in new[] { "HEAD", "GET" })
        {
            using HttpResponseMessage state = await app.Client.IetfAsync(method, url, null);
            Assert.Equal((204, "4", "?0"), state.State());
            Assert.Null(state.Header("Upload-Draft-Interop-Version"));
        }

        using HttpResponseMessage appended = await app.Client.AppendAsync(url, 4, true, File[4..], null);
        Assert.Equal(("10", "?1"), (appended.Header("Upload-Offset"), appended.Header("Upload-Complete")));
        using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", url, null);
        Assert.Equal(204, (int)deleted.StatusCode);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("11")]
    [InlineData("six")]
    [InlineData("6, 6")]
    [InlineData("6.0")]
    public async Task Unsupported_version_is_answered_in_the_newest_version(string version)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], null, ("Upload-Draft-Interop-Version", version));
        Assert.Equal((201, "4", "?0"), created.State());
        Assert.Contains("max-age", created.Header("Upload-Limit"), StringComparison.Ordinal);
        Assert.Null(created.Header("Upload-Draft-Interop-Version"));
    }

    [Fact]
    public async Task Download_of_complete_upload_keeps_the_status_headers()
    {
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, configure: static options => options.AllowDownload = true);
        using HttpResponseMessage created = await app.Client.CreateAsync(true, File);
        string url = created.Header("Location")!;
        using HttpResponseMessage content = await app.Client.IetfAsync("GET", url, null);
        Assert.Equal((200, "10", "?1"), content.State());
        Assert.Equal(File, await content.Content.ReadAsByteArrayAsync());
        Assert.Equal("no-store", content.Header("Cache-Control"));
        Assert.Null(content.Header("Tus-Resumable"));
    }

    [Fact]
    public async Task GET_before_the_handler_has_accepted_the_content_returns_no_content()
    {
        await using IetfApp app = await IetfApp.StartAsync(
            TusApp.ReadyMade, configure: static options => options.AllowDownload = true, answer: static _ => throw new InvalidOperationException("not yet"));
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File);
        string url = created.Header("Location")!;
        using HttpResponseMessage failed = await app.Client.AppendAsync(url, 10, true, []);
        using HttpResponseMessage content = await app.Client.IetfAsync("GET", url, null);
        Assert.Equal((503, ""), ((int)failed.StatusCode, await content.Content.ReadAsStringAsync()));
    }
}
