using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing;

/// <summary>Routing of requests with the headers of an upload protocol, among the app's other routes.</summary>
public class ChunkRoutingTests
{
    /// <summary>Method, path, content type, and the response to a body of four bytes that is the complete upload.</summary>
    public static TheoryData<string, string, string?, int, string> Bodies => new()
    {
        { "POST", "/post", "text/plain", 200, "POST /post text/plain 0" },
        { "PUT", "/put", null, 200, "PUT /put  0" },
        { "POST", "/both", null, 200, "POST /both  0" },
        { "PUT", "/both", null, 200, "PUT /both  0" },
        { "PATCH", "/any", null, 200, "PATCH /any  0" },
        { "POST", "/videos", null, 200, "made" },
        { "POST", "/videos/7", null, 200, "post 7" },
        { "POST", "/videos/special", null, 200, "special" },
        { "PATCH", "/videos/special", null, 200, "patched" },
        { "POST", "/two", null, 200, "two by post" },
        { "PUT", "/two", null, 200, "two by put" },
        { "POST", "/split", null, 200, "not resumable" },
        { "PUT", "/split", null, 200, "resumable" },
        { "POST", "/files/a/b.c", null, 200, "file a/b.c" },
        { "POST", "/files", null, 200, "file " },
        { "POST", "/constrained/7", null, 200, "7" },
        { "POST", "/ordered/literal", null, 200, "first literal" },
        { "POST", "/albums/1/photos", null, 200, "photo of 1" },
        { "POST", "/mixed/a", null, 200, "a" },
        { "POST", "/mixed/b", null, 200, "b" },
        { "POST", "/mvc/photos", "image/png", 200, "image 4" },
        { "POST", "/fallback/a", null, 200, "fallback a" },
        { "POST", "/typed", "image/gif", 200, "POST /typed image/gif 0" },
    };

    /// <summary>Status requests: path, and whether the upload (with offset 0) or the app responds.</summary>
    public static TheoryData<string, bool> Questions => new()
    {
        { "/videos", true },
        { "/videos/7", true },
        { "/files/a", true },
        { "/albums/1/photos", true },
        { "/mixed/a", true },
        { "/two", true },
        { "/mvc/photos", true },
        { "/split", true },
        { "/fallback/a", false },
        { "/mixed/b", false },
        { "/none", false },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Chunk_reaches_endpoint_of_plain_request(string method, string path, string? type, int status, string answer)
    {
        foreach (bool choosesPlace in new[] { false, true })
        {
            await using TestApp app = await RoutedApp.StartAsync(isResumable: true, choosesPlace: choosesPlace);
            using HttpResponseMessage plain = await SendAsync(app, method, path, type, "body");
            using HttpResponseMessage response = await SendAsync(app, method, path, type, "body", ("X-File-Id", "f"));
            Assert.Equal((status, answer), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
            Assert.Equal((status, answer), ((int)plain.StatusCode, await plain.Content.ReadAsStringAsync()));
        }
    }

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task Status_request_is_routed_to_upload_before_app_endpoint(string path, bool isOurs)
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        foreach (string method in new[] { "GET", "HEAD", "DELETE" })
        {
            using HttpResponseMessage response = await SendAsync(app, method, path, null, null, ("X-File-Id", "f"));
            if (isOurs)
            {
                Assert.Equal((method == "DELETE" ? 204 : 200, method == "DELETE" ? null : "0"), ((int)response.StatusCode, response.Header("X-Start-Byte")));
            }
            else
            {
                Assert.Null(response.Header("X-Start-Byte"));
                using HttpResponseMessage plain = await SendAsync(app, method, path, null, null);
                Assert.Equal((plain.StatusCode, await plain.Content.ReadAsStringAsync()), (response.StatusCode, await response.Content.ReadAsStringAsync()));
            }
        }
    }

    [Theory]
    [InlineData("/none", 404)]
    [InlineData("/constrained/4", 404)]
    [InlineData("/mixed/c", 404)]
    public async Task Unknown_url_returns_same_status_with_upload_headers(string path, int status)
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        using HttpResponseMessage response = await SendAsync(app, "POST", path, null, "body", ("X-File-Id", "f"));
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("/post", "PUT")]
    [InlineData("/put", "POST")]
    [InlineData("/post", "PATCH")]
    [InlineData("/post", "BREW")]
    public async Task Unsupported_method_returns_405(string path, string method)
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        using HttpResponseMessage response = await SendAsync(app, method, path, null, method == "BREW" ? null : "body", ("X-File-Id", "f"));
        Assert.Equal(405, (int)response.StatusCode);
        string[] allow = response.Header("Allow")!.Split(',', StringSplitOptions.TrimEntries);
        Assert.Equal(["DELETE", "GET", "HEAD", "OPTIONS", path == "/post" ? "POST" : "PUT"], allow.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Host_selects_endpoint_of_chunk()
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        using HttpResponseMessage here = await SendAsync(app, "POST", "/hosted", null, "body", ("X-File-Id", "f"), ("Host", "here.example"));
        using HttpResponseMessage there = await SendAsync(app, "POST", "/hosted", null, "body", ("X-File-Id", "f"), ("Host", "there.example"));
        using HttpResponseMessage nowhere = await SendAsync(app, "POST", "/hosted", null, "body", ("X-File-Id", "f"));
        Assert.Equal(("here", "there", 404), (await here.Content.ReadAsStringAsync(), await there.Content.ReadAsStringAsync(), (int)nowhere.StatusCode));
        Assert.Equal(("true", null), (here.Header("X-Upload-Complete"), there.Header("X-Upload-Complete")));
    }

    [Theory]
    [InlineData("image/png", "image 4")]
    [InlineData("application/json", "json 2")]
    public async Task Content_type_of_chunk_selects_between_actions(string type, string answer)
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        string body = type == "image/png" ? "body" : """["a","b"]""";
        using (HttpResponseMessage first = await SendAsync(app, "POST", "/mvc/photos", type, body[..2], ("X-File-Id", "f"), ("X-File-Size", $"{body.Length}")))
        {
            Assert.Equal("2", await first.Content.ReadAsStringAsync());
        }

        using HttpResponseMessage unclear = await SendAsync(
            app, "POST", "/mvc/photos", "application/octet-stream", body[2..], ("X-File-Id", "f"), ("X-File-Size", $"{body.Length}"), ("X-Start-Byte", "2"));
        Assert.Equal(415, (int)unclear.StatusCode);
        Assert.Contains("Several endpoints accept uploads at this URL", await unclear.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(2, await app.Client.StatusAsync("f", "/mvc/photos"));
        using HttpResponseMessage last = await SendAsync(
            app, "POST", "/mvc/photos", type, body[2..], ("X-File-Id", "f"), ("X-File-Size", $"{body.Length}"), ("X-Start-Byte", "2"));
        Assert.Equal((200, answer), ((int)last.StatusCode, await last.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("/albums/1/photos", "/albums/2/photos")]
    [InlineData("/videos/1", "/videos/2")]
    [InlineData("/post", "/both")]
    public async Task Same_file_id_at_two_urls_is_two_uploads(string one, string other)
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        (await SendAsync(app, "POST", one, null, "body", ("X-File-Id", "f"), ("X-File-Size", "10"))).Dispose();
        Assert.Equal((4, 0), (await app.Client.StatusAsync("f", one), await app.Client.StatusAsync("f", other)));
        (await SendAsync(app, "POST", other, null, "bo", ("X-File-Id", "f"), ("X-File-Size", "10"))).Dispose();
        (await app.Client.DeleteUploadAsync("f", one)).Dispose();
        Assert.Equal((0, 2), (await app.Client.StatusAsync("f", one), await app.Client.StatusAsync("f", other)));
    }

    [Fact]
    public async Task Upload_created_by_POST_is_not_visible_to_PUT_endpoint()
    {
        await using TestApp app = await RoutedApp.StartAsync(isResumable: true);
        (await SendAsync(app, "POST", "/two", null, "body", ("X-File-Id", "f"), ("X-File-Size", "8"))).Dispose();
        using HttpResponseMessage last = await SendAsync(app, "POST", "/two", null, "body", ("X-File-Id", "f"), ("X-File-Size", "8"), ("X-Start-Byte", "4"));
        Assert.Equal("two by post", await last.Content.ReadAsStringAsync());
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestApp app, string method, string path, string? type, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body);
            request.Content.Headers.ContentType = type is null ? null : System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await app.Client.SendAsync(request);
    }
}
