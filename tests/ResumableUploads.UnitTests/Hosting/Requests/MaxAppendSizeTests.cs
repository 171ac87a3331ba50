using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary><c>Limits.MaxAppendSize</c> for the protocols without limits of their own. For the draft, see the tests of its limits.</summary>
public class MaxAppendSizeTests
{
    private const string Announced = "max-append-size=6";
    private static readonly byte[] File = "0123456789"u8.ToArray();

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Tus_responses_announce_the_limit(string place)
    {
        await using TusApp app = await StartAsync(place);
        using HttpResponseMessage options = await SendTusAsync(app, "OPTIONS", TusApp.Url);
        using HttpResponseMessage created = await SendTusAsync(app, "POST", TusApp.Url, [], ("Upload-Length", "10"));
        using HttpResponseMessage head = await SendTusAsync(app, "HEAD", created.Header("Location")!);
        using HttpResponseMessage appended = await SendTusAsync(app, "PATCH", created.Header("Location")!, File[..6], ("Upload-Offset", "0"));
        Assert.Equal([204, 201, 200, 204], new[] { options, created, head, appended }.Select(static response => (int)response.StatusCode));
        Assert.All([options, created, head, appended], static response => Assert.Equal(Announced, response.Header("Upload-Limit")));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Tus_append_above_the_limit_returns_413_with_the_limit_and_keeps_the_offset(string place)
    {
        await using TusApp app = await StartAsync(place);
        using HttpResponseMessage created = await SendTusAsync(app, "POST", TusApp.Url, [], ("Upload-Length", "10"));
        using HttpResponseMessage rejected = await SendTusAsync(app, "PATCH", created.Header("Location")!, File[..7], ("Upload-Offset", "0"));
        await AssertRejectedAsync(rejected);
        using HttpResponseMessage head = await SendTusAsync(app, "HEAD", created.Header("Location")!);
        Assert.Equal("0", head.Header("Upload-Offset"));

        using HttpResponseMessage first = await SendTusAsync(app, "PATCH", created.Header("Location")!, File[..6], ("Upload-Offset", "0"));
        using HttpResponseMessage last = await SendTusAsync(app, "PATCH", created.Header("Location")!, File[6..], ("Upload-Offset", "6"));
        Assert.Equal("10", last.Header("Upload-Offset"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Tus_creation_with_content_above_the_limit_returns_413(string place)
    {
        await using TusApp app = await StartAsync(place);
        using HttpResponseMessage rejected = await SendTusAsync(app, "POST", TusApp.Url, File, ("Upload-Length", "10"));
        await AssertRejectedAsync(rejected);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Tus_append_of_unknown_length_keeps_the_bytes_up_to_the_limit(string place)
    {
        await using TusApp app = await StartAsync(place);
        using HttpResponseMessage created = await SendTusAsync(app, "POST", TusApp.Url, [], ("Upload-Length", "10"));
        using HttpContent content = ProblemExpectations.Chunked(File);
        using HttpResponseMessage rejected = await SendTusAsync(app, "PATCH", created.Header("Location")!, content, ("Upload-Offset", "0"));
        await AssertRejectedAsync(rejected);
        Assert.Equal("6", rejected.Header("Upload-Offset"));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task File_id_request_above_the_limit_returns_413_with_the_limit(string place)
    {
        await using TusApp app = await StartAsync(place);
        using HttpResponseMessage rejected = await app.Client.AppendAsync("a", 0, new ByteArrayContent(File), 10, TusApp.Url);
        await AssertRejectedAsync(rejected);
        using HttpResponseMessage first = await app.Client.AppendAsync("a", 0, new ByteArrayContent(File[..6]), 10, TusApp.Url);
        Assert.Equal(("6", Announced), (first.Header("X-Start-Byte"), first.Header("Upload-Limit")));
        using HttpResponseMessage last = await app.Client.AppendAsync("a", 6, new ByteArrayContent(File[6..]), 10, TusApp.Url);
        Assert.True(last.IsSuccessStatusCode);
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData("bytes 0-3/10", 400, "bad-content-range")]
    [InlineData("bytes 0-7/10", 413, "append-too-large")]
    public async Task File_id_request_with_range_has_the_lower_limit(string range, int status, string type)
    {
        await using TusApp app = await StartAsync(TusApp.Mapped);
        using HttpContent content = ProblemExpectations.Chunked(File);
        using HttpResponseMessage rejected = await app.Client.AppendAsync("a", 0, content, null, TusApp.Url, ("Content-Range", range));
        Assert.Equal(status, (int)rejected.StatusCode);
        Assert.Contains(type, await rejected.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_option_nothing_is_announced()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped);
        using HttpResponseMessage created = await SendTusAsync(app, "POST", TusApp.Url, [], ("Upload-Length", "10"));
        using HttpResponseMessage status = await app.Client.AppendAsync("a", 0, new ByteArrayContent(File[..6]), 10, TusApp.Url);
        Assert.Equal((null, null), (created.Header("Upload-Limit"), status.Header("Upload-Limit")));
    }

    [Fact]
    public void Pages_of_other_origins_can_read_the_limit() =>
        Assert.Contains("Upload-Limit", new Microsoft.AspNetCore.Cors.Infrastructure.CorsPolicyBuilder().WithResumableUploads().Build().ExposedHeaders);

    private static Task<TusApp> StartAsync(string place) => TusApp.StartAsync(place, static options => options.Limits.MaxAppendSize = 6);

    private static async Task AssertRejectedAsync(HttpResponseMessage response)
    {
        Assert.Equal((413, Announced), ((int)response.StatusCode, response.Header("Upload-Limit")));
        using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.EndsWith("append-too-large", problem.RootElement.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.Contains("is 6 bytes", problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> SendTusAsync(TusApp app, string method, string url, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        using HttpContent? content = body is null ? null : new ByteArrayContent(body);
        return await SendTusAsync(app, method, url, content, headers);
    }

    private static async Task<HttpResponseMessage> SendTusAsync(TusApp app, string method, string url, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url) { Content = content };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        foreach ((string name, string value) in headers)
        {
            request.Headers.Add(name, value);
        }

        if (method is "PATCH" or "POST")
        {
            content!.Headers.TryAddWithoutValidation("Content-Type", "application/offset+octet-stream");
        }

        return await app.Client.SendAsync(request);
    }
}
