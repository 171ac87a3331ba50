using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Ownership;

public class AnonymousOwnerTests
{
    private const string Cookie = "resumable-uploads-owner";

    [Theory]
    [InlineData("same-origin")]
    [InlineData("none")]
    public async Task Browser_receives_random_HttpOnly_cookie(string site)
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        (_, string? first) = await SendAsync(app, HttpMethod.Get, ("Sec-Fetch-Site", site));
        (_, string? second) = await SendAsync(app, HttpMethod.Get, ("Sec-Fetch-Site", site));

        Assert.Contains("httponly", first, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", first, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("path=/;", first, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secure", first, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(43, Value(first).Length);
        Assert.NotEqual(Value(first), Value(second));
    }

    [Fact]
    public async Task Same_file_id_of_two_browsers_is_two_uploads()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        (string before, string? one) = await SendAsync(app, HttpMethod.Get, ("Sec-Fetch-Site", "same-origin"));
        (_, string? two) = await SendAsync(app, HttpMethod.Get, ("Sec-Fetch-Site", "same-origin"));
        (string mine, string? again) = await SendAsync(app, HttpMethod.Post, ("Sec-Fetch-Site", "same-origin"), ("Cookie", $"{Cookie}={Value(one)}"));

        Assert.Equal(("0", "10", null), (before, mine, again));
        Assert.Equal(("10", null), await SendAsync(app, HttpMethod.Get, ("Cookie", $"{Cookie}={Value(one)}")));
        Assert.Equal(("0", null), await SendAsync(app, HttpMethod.Get, ("Cookie", $"{Cookie}={Value(two)}")));
        Assert.Equal(("0", null), await SendAsync(app, HttpMethod.Get));
    }

    [Theory]
    [InlineData("cross-site")]
    [InlineData("same-site")]
    [InlineData(null)]
    public async Task Clients_without_cookie_support_share_uploads_and_receive_no_cookie(string? site)
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        (string, string)[] headers = site is null ? [] : [("Sec-Fetch-Site", site)];

        Assert.Equal(("10", null), await SendAsync(app, HttpMethod.Post, headers));
        Assert.Equal(("10", null), await SendAsync(app, HttpMethod.Get));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Forged_cookie_is_replaced(string forged)
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        (_, string? cookie) = await SendAsync(app, HttpMethod.Get, ("Cookie", $"{Cookie}={forged}"), ("Sec-Fetch-Site", "same-origin"));

        Assert.NotNull(cookie);
        Assert.NotEqual(forged, Value(cookie));
    }

    [Fact]
    public async Task Shared_uses_one_owner_and_no_cookie()
    {
        await using TestApp app = await TestApp.StartAsync(static options => options.AnonymousOwner = AnonymousOwner.Shared, onTestHost: true);

        Assert.Equal(("10", null), await SendAsync(app, HttpMethod.Post, ("Sec-Fetch-Site", "same-origin")));
        Assert.Equal(("10", null), await SendAsync(app, HttpMethod.Get, ("Cookie", $"{Cookie}={new string('A', 43)}")));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task Reject_returns_401_for_every_request(string method)
    {
        await using TestApp app = await TestApp.StartAsync(static options => options.AnonymousOwner = AnonymousOwner.Reject, onTestHost: true);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/upload");
        request.Headers.Add("X-File-Id", "f");
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using HttpResponseMessage response = await app.Client.SendAsync(request);

        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Null(response.Header("Set-Cookie"));
    }

    [Fact]
    public async Task Cookie_behind_TLS_proxy_is_secure()
    {
        await using TestApp app = await TestApp.StartAsync(before: static app =>
            app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedProto }));
        (_, string? cookie) = await SendAsync(app, HttpMethod.Get, ("Sec-Fetch-Site", "same-origin"), ("X-Forwarded-Proto", "https"));

        Assert.Contains("; secure", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Path_base_scopes_cookie_and_uploads()
    {
        await using TestApp app = await TestApp.StartAsync(before: static app => app.UsePathBase("/app"), onTestHost: true);
        using (HttpResponseMessage begun = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 100, "/app/upload"))
        {
            Assert.Equal(200, (int)begun.StatusCode);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/status");
        request.Headers.Add("X-File-Id", "other");
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using HttpResponseMessage response = await app.Client.SendAsync(request);

        Assert.Contains("path=/app;", response.Header("Set-Cookie"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(10, await app.Client.StatusAsync("f", "/app/status"));
        Assert.Equal(10, await app.Client.StatusAsync("f", "/app/upload"));
        Assert.Equal(0, await app.Client.StatusAsync("f", "/status"));
    }

    private static string Value(string? setCookie) => setCookie!.Split(';')[0][(Cookie.Length + 1)..];

    /// <summary>Appends 10 bytes or requests the offset, and returns the offset and the cookie of the response.</summary>
    private static async Task<(string Offset, string? SetCookie)> SendAsync(TestApp app, HttpMethod method, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, "/upload") { Content = method == HttpMethod.Post ? new ByteArrayContent(new byte[10]) : null };
        request.Headers.Add("X-File-Id", "f");
        request.Headers.Add("X-File-Size", 100.ToString(CultureInfo.InvariantCulture));
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await app.Client.SendAsync(request);
        return (await response.Content.ReadAsStringAsync(), response.Header("Set-Cookie"));
    }
}
