using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

public partial class DashboardDownloadTests
{
    private static readonly byte[] Content = "<script>alert(1)</script>"u8.ToArray();

    [Fact]
    public async Task Download_is_off_by_default()
    {
        await using DashboardApp app = await StartAsync(policy: null);
        await SendAsync(app);
        string url = await GetUrlAsync(app);
        Assert.DoesNotContain("/content", await app.GetPageAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, await GetStatusAsync(app.Operator, url));
    }

    [Fact]
    public async Task Content_is_an_attachment_that_no_browser_shows()
    {
        await using DashboardApp app = await StartAsync();
        await SendAsync(app, ("X-File-Name", "page.html"), ("Content-Type", "text/html"));
        string url = WebUtility.HtmlDecode(Link().Match(await app.GetPageAsync()).Groups[1].Value);

        using HttpResponseMessage response = await app.Operator.GetAsync(url);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Content, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal("application/octet-stream", response.Header("Content-Type"));
        Assert.Equal("attachment; filename=page.html; filename*=UTF-8''page.html", response.Header("Content-Disposition"));
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'; sandbox", response.Header("Content-Security-Policy"));
        Assert.Equal("same-origin", response.Header("Cross-Origin-Resource-Policy"));
        Assert.Contains("no-store", response.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Contains("open upload", Assert.Single(app.App.Log.Lines, static line => line.Contains("[310]", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Range_of_content_is_sent()
    {
        await using DashboardApp app = await StartAsync();
        await SendAsync(app);
        string url = await GetUrlAsync(app);
        EntityTagHeaderValue? tag;
        using (HttpResponseMessage whole = await app.Operator.GetAsync(url))
        {
            tag = whole.Headers.ETag;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(1, 6), IfRange = new RangeConditionHeaderValue(tag!) } };
        using HttpResponseMessage response = await app.Operator.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(Content[1..7], await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task User_without_the_policy_has_no_download(bool allowsUnauthenticatedAccess, bool allowsAnonymous)
    {
        await using DashboardApp app = await DashboardApp.StartAsync(
            options => (options.DownloadPolicy, options.AllowUnauthenticatedAccess) = ("operators", allowsUnauthenticatedAccess),
            conventions: builder =>
            {
                if (allowsAnonymous)
                {
                    builder.AllowAnonymous();
                }
            });
        await SendAsync(app);
        string url = await GetUrlAsync(app);
        Assert.Equal(HttpStatusCode.OK, await GetStatusAsync(app.Operator, url));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetStatusAsync(app.Anonymous, url));
        app.Anonymous.DefaultRequestHeaders.Add(HeaderAuthentication.Header, "sub:client");
        Assert.Equal(HttpStatusCode.Forbidden, await GetStatusAsync(app.Anonymous, url));
        Assert.DoesNotContain("/content", await app.Anonymous.GetStringAsync("/uploads"), StringComparison.Ordinal);
        Assert.Contains("/content", await app.Operator.GetStringAsync("/uploads"), StringComparison.Ordinal);
        Assert.Single(app.App.Log.Lines, static line => line.Contains("[310]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task User_without_the_policy_of_the_dashboard_has_no_download()
    {
        await using DashboardApp app = await DashboardApp.StartAsync(
            static options => options.DownloadPolicy = "anyone", conventions: static builder => builder.RequireAuthorization("operators"));
        await SendAsync(app);
        app.Anonymous.DefaultRequestHeaders.Add(HeaderAuthentication.Header, "sub:client");
        Assert.Equal(HttpStatusCode.Forbidden, await GetStatusAsync(app.Anonymous, await GetUrlAsync(app)));
    }

    [Theory]
    [InlineData("a\"\r\nSet-Cookie: x=1.txt")]
    [InlineData("../../etc/passwd")]
    [InlineData("..\\x.exe")]
    [InlineData("\u202Egpj.exe")]
    [InlineData("Übersicht 😀;'%.txt")]
    [InlineData("CON")]
    [InlineData("\"; filename*=UTF-8''evil.exe; x=\"")]
    public async Task Hostile_file_name_is_harmless(string name)
    {
        await using DashboardApp app = await StartAsync();
        await SendAsync(app, ("X-File-Name", Uri.EscapeDataString(name)));

        using HttpResponseMessage response = await app.Operator.GetAsync(await GetUrlAsync(app));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        string header = response.Header("Content-Disposition")!;
        Assert.Matches(@"\Aattachment; filename=(""[^""\\\r\n]*""|[^;""\\\s]+); filename\*=UTF-8''[^;""\\/\s']+\z", header);
        ContentDispositionHeaderValue value = ContentDispositionHeaderValue.Parse(header);
        Assert.DoesNotMatch(@"[/\\""\p{Cc}\p{Cf}]", value.FileNameStar!);
        Assert.DoesNotMatch(@"\A(\.|CON\z)", value.FileNameStar!);
        Assert.Equal(Assert.Single((await app.Manager.ListAsync(new UploadListQuery())).Uploads).FileName, value.FileNameStar);
    }

    [Theory]
    [InlineData("created", "2020-01-01T00:00:00.0000000+00:00", HttpStatusCode.NotFound)]
    [InlineData("created", "x", HttpStatusCode.BadRequest)]
    [InlineData("owner", "other", HttpStatusCode.NotFound)]
    [InlineData("owner", "..", HttpStatusCode.BadRequest)]
    [InlineData("id", "../x", HttpStatusCode.BadRequest)]
    [InlineData("id", "other", HttpStatusCode.NotFound)]
    [InlineData("store", "Other", HttpStatusCode.NotFound)]
    [InlineData("store", "", HttpStatusCode.BadRequest)]
    public async Task Link_to_another_upload_has_no_content(string name, string value, HttpStatusCode expected)
    {
        await using DashboardApp app = await StartAsync();
        await SendAsync(app);
        string url = Regex.Replace(await GetUrlAsync(app), $"([?&]{name}=)[^&]*", "${1}" + Uri.EscapeDataString(value));
        using HttpResponseMessage response = await app.Operator.GetAsync(url);
        Assert.Equal(expected, response.StatusCode);
        Assert.DoesNotContain("script", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Receiving_upload_has_no_download()
    {
        await using DashboardApp app = await StartAsync();
        (await app.App.Client.AppendAsync("f", 0, Content, Content.Length + 1)).Dispose();
        Assert.DoesNotContain("/content", await app.GetPageAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, await GetStatusAsync(app.Operator, await GetUrlAsync(app)));
    }

    [Fact]
    public async Task Upload_whose_content_was_moved_has_no_download()
    {
        string target = Path.GetTempFileName();
        try
        {
            await using DashboardApp app = await StartAsync(uploads: options =>
                options.OnCompleted = (upload, cancellationToken) => upload.MoveToFileAsync(target, overwrite: true, cancellationToken));
            await SendAsync(app);
            Assert.DoesNotContain("/content", await app.GetPageAsync(), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.NotFound, await GetStatusAsync(app.Operator, await GetUrlAsync(app)));
        }
        finally
        {
            File.Delete(target);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_whose_first_read_fails_is_a_complete_response(bool isRange)
    {
        await using DashboardApp app = await StartAsync(uploads: static options => options.Store = new UnreadableStore(new MemoryUploadStore()));
        await SendAsync(app);
        using var request = new HttpRequestMessage(HttpMethod.Get, await GetUrlAsync(app)) { Headers = { Range = isRange ? new RangeHeaderValue(1, 6) : null } };

        using HttpResponseMessage response = await app.Operator.SendAsync(request);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("The store failed", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((null, null, null), (response.Header("Content-Disposition"), response.Header("Content-Range"), response.Header("ETag")));
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
    }

    [Fact]
    public async Task Head_has_the_headers_of_the_content_and_the_same_policy()
    {
        await using DashboardApp app = await StartAsync();
        await SendAsync(app);
        string url = await GetUrlAsync(app);
        using HttpResponseMessage head = await app.Operator.SendAsync(new HttpRequestMessage(HttpMethod.Head, url));
        Assert.Equal((HttpStatusCode.OK, Content.Length), (head.StatusCode, head.Content.Headers.ContentLength));
        using HttpResponseMessage refused = await app.Anonymous.SendAsync(new HttpRequestMessage(HttpMethod.Head, url));
        Assert.Equal((HttpStatusCode.Unauthorized, null), (refused.StatusCode, refused.Header("Content-Disposition")));
    }

    [Fact]
    public async Task Unknown_policy_fails_at_start() => Assert.Contains(
        "DownloadPolicy is 'missing'", (await Assert.ThrowsAsync<InvalidOperationException>(static () => StartAsync("missing"))).Message, StringComparison.Ordinal);

    private static Task<DashboardApp> StartAsync(string? policy = "operators", Action<ResumableUploadOptions>? uploads = null) =>
        DashboardApp.StartAsync(policy is null ? null : options => options.DownloadPolicy = policy, uploads);

    private static async Task SendAsync(DashboardApp app, params (string, string)[] headers) =>
        (await app.App.Client.AppendAsync("f", 0, Content, Content.Length, headers)).Dispose();

    /// <summary>Returns the URL of the content of the only upload.</summary>
    private static async Task<string> GetUrlAsync(DashboardApp app)
    {
        ManagedUpload upload = Assert.Single((await app.Manager.ListAsync(new UploadListQuery())).Uploads);
        return $"/uploads/content?store={upload.Store}&owner={upload.Key.Owner}&id={upload.Key.Id}&created={Uri.EscapeDataString(upload.Created.ToString("O"))}";
    }

    private static async Task<HttpStatusCode> GetStatusAsync(HttpClient client, string url)
    {
        using HttpResponseMessage response = await client.GetAsync(url);
        return response.StatusCode;
    }

    [GeneratedRegex("href=\"(/uploads/content[^\"]*)\"")]
    private static partial Regex Link();

    /// <summary>A store whose content cannot be read.</summary>
    private sealed class UnreadableStore(IUploadStore store) : DelegatingUploadStore(store)
    {
        public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
            await base.OpenReadAsync(key, cancellationToken) is { } content ? new UnreadableStream(content) : null;
    }

    private sealed class UnreadableStream(Stream content) : MemoryStream(new byte[content.Length])
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
    }
}
