using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Ownership;

/// <summary>Browsers without a user, which keep the owner cookie or do not keep it (docs/security.md#anonymous-clients).</summary>
public class AnonymousBrowserTests
{
    private const string Cookie = "resumable-uploads-owner";
    private const string SecureCookie = "__Host-resumable-uploads-owner";
    private static readonly (string, string) FromPage = ("Sec-Fetch-Site", "same-origin");

    [Fact]
    public async Task Browser_that_keeps_no_cookie_completes_its_upload()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        Assert.Equal(("0", true), await SendAsync(app, HttpMethod.Get, null, FromPage));
        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Post, 0, FromPage));
        Assert.Equal(("10", true), await SendAsync(app, HttpMethod.Get, null, FromPage));
        Assert.Equal(("20", false), await SendAsync(app, HttpMethod.Post, 10, FromPage));
        Assert.Equal(20, Assert.Single(app.Finished).Content.Length);
    }

    [Fact]
    public async Task Browser_that_keeps_the_cookie_does_not_share_its_upload()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        using HttpResponseMessage status = await SendRequestAsync(app, HttpMethod.Get, "/status", null, FromPage);
        (string, string) cookie = ("Cookie", status.Header("Set-Cookie")!.Split(';')[0]);

        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Post, 0, FromPage, cookie));
        Assert.Equal(("0", true), await SendAsync(app, HttpMethod.Get, null, FromPage));
        Assert.Equal(("0", false), await SendAsync(app, HttpMethod.Get));
        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Get, null, FromPage, cookie));
    }

    /// <summary>Otherwise, a client that guesses the file id could keep a browser from becoming an owner of its own, and complete its upload.</summary>
    [Fact]
    public async Task Upload_of_the_shared_owner_does_not_keep_the_browser_from_its_own_owner()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Post, 0));
        using HttpResponseMessage status = await SendRequestAsync(app, HttpMethod.Get, "/status", null, FromPage);
        (string, string) cookie = ("Cookie", status.Header("Set-Cookie")!.Split(';')[0]);
        using HttpResponseMessage rejected = await SendRequestAsync(app, HttpMethod.Post, "/upload", 10, FromPage, cookie);
        Assert.Equal((409, "0"), ((int)rejected.StatusCode, rejected.Header("X-Start-Byte")));
        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Post, 0, FromPage, cookie));
        Assert.Equal(("20", false), await SendAsync(app, HttpMethod.Post, 10, FromPage, cookie));
        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Get));
    }

    [Fact]
    public async Task Browser_that_keeps_no_cookie_continues_from_another_network()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true, before: static app => app.Use(static (context, next) =>
        {
            context.Connection.RemoteIpAddress = IPAddress.Parse(context.Request.Headers["X-Address"].ToString());
            return next(context);
        }));
        (string, string) other = ("X-Address", "192.0.2.1");
        (string, string) own = ("X-Address", "192.0.2.2");
        Assert.Equal(("10", false), await SendAsync(app, HttpMethod.Post, 0, other));
        Assert.Equal(("10", true), await SendAsync(app, HttpMethod.Get, null, FromPage, own));
        Assert.Equal(("20", false), await SendAsync(app, HttpMethod.Post, 10, FromPage, own));
        Assert.Single(app.Finished);
    }

    [Fact]
    public async Task Upload_of_a_different_request_does_not_keep_the_browser_from_its_own_owner()
    {
        await using TestApp app = await EndpointApp.StartAsync(static app => app.MapPost("/upload", static () => "").WithResumableUploads(), onTestHost: true);
        using HttpResponseMessage other = await SendRequestAsync(app, HttpMethod.Post, "/upload?project=1", 0);
        Assert.Equal(200, (int)other.StatusCode);
        Assert.Equal(("0", true), await SendAsync(app, HttpMethod.Get, null, FromPage));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task Only_status_requests_set_the_cookie(string method)
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        using HttpResponseMessage response = await SendRequestAsync(app, new HttpMethod(method), "/upload", 0, FromPage);
        Assert.Null(response.Header("Set-Cookie"));
    }

    /// <summary>The owner is determined for each endpoint that the upload may belong to.</summary>
    [Fact]
    public async Task Status_request_for_several_endpoints_sets_one_cookie()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapPost("/upload", static () => "post").WithResumableUploads();
                app.MapPut("/upload", static () => "put").WithResumableUploads();
            },
            onTestHost: true);
        using HttpResponseMessage status = await SendRequestAsync(app, HttpMethod.Get, "/upload", null, FromPage);
        Assert.Single(status.Headers.GetValues("Set-Cookie"));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    public async Task Status_request_for_several_endpoints_finds_the_upload_without_a_cookie(string method)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapPost("/upload", static () => "post").WithResumableUploads();
                app.MapPut("/upload", static () => "put").WithResumableUploads();
            },
            onTestHost: true);
        using HttpResponseMessage begun = await SendRequestAsync(app, new HttpMethod(method), "/upload", 0, FromPage);
        Assert.Equal(("10", true), await SendAsync(app, HttpMethod.Get, null, FromPage));
    }

    [Fact]
    public async Task Cookie_is_kept_for_a_year()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        using HttpResponseMessage status = await SendRequestAsync(app, HttpMethod.Get, "/status", null, FromPage);
        Assert.Contains("max-age=31536000;", status.Header("Set-Cookie"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(TusApp.Places), MemberType = typeof(TusApp))]
    public async Task Tus_upload_needs_no_cookie(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "4"), FromPage);
        Assert.Equal((201, null), ((int)created.StatusCode, created.Header("Set-Cookie")));
        string url = created.Header("Location")!;

        // Another browser that knows the URL, with a cookie of its own.
        (string, string) cookie = ("Cookie", $"{Cookie}={new string('A', 43)}");
        using HttpResponseMessage first = await app.Client.AppendChunkAsync(url, 0, "ab"u8.ToArray(), FromPage, cookie);
        Assert.Equal(204, (int)first.StatusCode);
        Assert.Equal(2, await app.Client.OffsetAsync(url));
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 2, "cd"u8.ToArray(), FromPage);
        Assert.Equal(204, (int)last.StatusCode);
        Assert.Equal("abcd"u8.ToArray(), Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(TusApp.Places), MemberType = typeof(TusApp))]
    public async Task Ietf_upload_needs_no_cookie(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.BeginAsync(headers: FromPage);
        using HttpResponseMessage first = await app.Client.AppendAsync(url, 0, false, "ab"u8.ToArray(), headers: [FromPage, ("Cookie", $"{Cookie}={new string('A', 43)}")]);
        Assert.Null(first.Header("Set-Cookie"));
        Assert.Equal((2, false), await app.Client.StateAsync(url));
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 2, true, "cd"u8.ToArray(), headers: FromPage);
        Assert.Equal("abcd"u8.ToArray(), Assert.Single(app.Seen).Content);
    }

    [Fact]
    public async Task Cookie_over_HTTPS_has_host_prefix()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true, before: static app =>
        {
            app.Use(static (context, next) =>
            {
                context.Request.Scheme = "https";
                return next(context);
            });
            app.UsePathBase("/app");
        });
        using HttpResponseMessage status = await SendRequestAsync(app, HttpMethod.Get, "/app/status", null, FromPage);
        string cookie = status.Header("Set-Cookie")!;
        Assert.StartsWith(SecureCookie + "=", cookie, StringComparison.Ordinal);
        Assert.Contains("path=/; secure; samesite=lax; httponly", cookie, StringComparison.Ordinal);

        // Another host of the domain can set a cookie with the plain name, so it is ignored.
        string value = cookie.Split(';')[0][(SecureCookie.Length + 1)..];
        using HttpResponseMessage append = await SendRequestAsync(app, HttpMethod.Post, "/app/upload", 0, ("Cookie", $"{SecureCookie}={value}"));
        using HttpResponseMessage own = await SendRequestAsync(app, HttpMethod.Get, "/app/status", null, ("Cookie", $"{SecureCookie}={value}"));
        using HttpResponseMessage plain = await SendRequestAsync(app, HttpMethod.Get, "/app/status", null, ("Cookie", $"{Cookie}={value}"));
        Assert.Equal(("10", "0"), (await own.Content.ReadAsStringAsync(), await plain.Content.ReadAsStringAsync()));
    }

    /// <summary>Requests the offset or appends 10 of 20 bytes. Returns the offset, and whether the response sets the cookie.</summary>
    private static async Task<(string Offset, bool SetsCookie)> SendAsync(TestApp app, HttpMethod method, int? offset = null, params (string, string)[] headers)
    {
        using HttpResponseMessage response = await SendRequestAsync(app, method, "/upload", offset, headers);
        return (await response.Content.ReadAsStringAsync(), response.Header("Set-Cookie") is not null);
    }

    private static async Task<HttpResponseMessage> SendRequestAsync(TestApp app, HttpMethod method, string path, int? offset, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = method == HttpMethod.Post || method == HttpMethod.Put ? new ByteArrayContent(new byte[10]) : null };
        request.Headers.Add("X-File-Id", "f");
        if (offset is { } start)
        {
            request.Headers.Add("X-Start-Byte", start.ToString());
            request.Headers.Add("X-File-Size", "20");
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await app.Client.SendAsync(request);
    }
}
