using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Authorization;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>Authorization of chunks, and isolation of uploads between users.</summary>
public class EndpointAuthorizationTests
{
    private static readonly ChunkableRequest Request = new("/x", [.. "12345678"u8], "text/plain");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Anonymous_chunk_status_and_cancel_get_challenge(bool choosesPlace)
    {
        await using TestApp app = await AppAsync(choosesPlace);
        using HttpResponseMessage plain = await Request.SendPlainAsync(app.Client);
        Assert.Equal(401, (int)plain.StatusCode);
        foreach (string method in new[] { "POST", "GET", "HEAD", "DELETE" })
        {
            using HttpResponseMessage answer = await SendAsync(app, method, "/x", null, 0, method == "POST" ? "1234" : null);
            Assert.Equal(401, (int)answer.StatusCode);
            Assert.Null(answer.Header("X-Start-Byte"));
        }

        Assert.Empty(Directory.EnumerateFiles(app.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chunk_of_forbidden_user_returns_403(bool choosesPlace)
    {
        await using TestApp app = await AppAsync(choosesPlace);
        foreach (string method in new[] { "POST", "GET", "DELETE" })
        {
            using HttpResponseMessage ann = await SendAsync(app, method, "/boss", "sub:ann", 0, method == "POST" ? "1234" : null);
            using HttpResponseMessage boss = await SendAsync(app, method, "/boss", "sub:boss", 0, method == "POST" ? "1234" : null);
            Assert.Equal((403, method == "DELETE" ? 204 : 200), ((int)ann.StatusCode, (int)boss.StatusCode));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chunk_status_and_cancel_of_another_user_find_and_change_nothing(bool choosesPlace)
    {
        await using TestApp app = await AppAsync(choosesPlace);
        (await SendAsync(app, "POST", "/x", "sub:ann", 0, "1234")).Dispose();

        using (HttpResponseMessage status = await SendAsync(app, "GET", "/x", "sub:bob", 0, null))
        using (HttpResponseMessage chunk = await SendAsync(app, "POST", "/x", "sub:bob", 4, "BAD!"))
        using (HttpResponseMessage ask = await SendAsync(app, "POST", "/x", "sub:bob", 8, ""))
        using (HttpResponseMessage cancel = await SendAsync(app, "DELETE", "/x", "sub:bob", 0, null))
        {
            Assert.Equal((200, "0"), ((int)status.StatusCode, await status.Content.ReadAsStringAsync()));
            Assert.Equal((409, "0"), ((int)chunk.StatusCode, chunk.Header("X-Start-Byte")));
            Assert.Equal((409, "0"), ((int)ask.StatusCode, ask.Header("X-Start-Byte")));
            Assert.Equal(204, (int)cancel.StatusCode);
        }

        using HttpResponseMessage last = await SendAsync(app, "POST", "/x", "sub:ann", 4, "5678");
        Assert.Equal("ann 12345678", await last.Content.ReadAsStringAsync());

        // A stored response is not sent to another user either.
        using HttpResponseMessage hers = await SendAsync(app, "POST", "/x", "sub:ann", 8, "");
        using HttpResponseMessage his = await SendAsync(app, "POST", "/x", "sub:bob", 8, "");
        Assert.Equal(("ann 12345678", 409), (await hers.Content.ReadAsStringAsync(), (int)his.StatusCode));
        using HttpResponseMessage own = await SendAsync(app, "POST", "/x", "sub:bob", 0, "abcdefgh");
        Assert.Equal("bob abcdefgh", await own.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("default")]
    [InlineData("policy")]
    [InlineData("named")]
    [InlineData("open")]
    public async Task Global_MVC_filter_applies_to_chunks(string filter)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapControllers(),
            services: builder =>
            {
                HeaderAuthentication.AddTo(builder);
                builder.Services.AddAuthorization(Policies);
                builder.Services.AddControllers(mvc => mvc.Filters.Add(filter switch
                {
                    "default" => new AuthorizeFilter(),
                    "policy" => new AuthorizeFilter(new AuthorizationPolicyBuilder().RequireClaim("sub").Build()),
                    "named" => new AuthorizeFilter("boss"),
                    _ => new AuthorizeFilter(new AuthorizationPolicyBuilder().RequireAssertion(static _ => true).Build()),
                })).OnlyControllers(typeof(FilteredController));
            },
            onTestHost: true);
        foreach (string path in new[] { "/filtered", "/filtered/open" })
        {
            foreach (string? user in new[] { null, "sub:ann", "sub:boss", "id:5" })
            {
                ChunkableRequest whole = Request with { Path = path, Headers = user is null ? [] : [(HeaderAuthentication.Header, user)] };
                using HttpResponseMessage plain = await whole.SendPlainAsync(app.Client);
                using HttpResponseMessage chunk = await SendAsync(app, "POST", path, user, 0, "1234");
                using HttpResponseMessage status = await SendAsync(app, "GET", path, user, 0, null);
                using HttpResponseMessage cancel = await SendAsync(app, "DELETE", path, user, 0, null);
                string what = $"{filter} {path} {user}: {plain.StatusCode} {chunk.StatusCode} {status.StatusCode} {cancel.StatusCode}";
                bool isOk = (int)plain.StatusCode == 200;
                Assert.True((isOk ? 200 : (int)plain.StatusCode) == (int)chunk.StatusCode, what);
                Assert.True((isOk ? 200 : (int)plain.StatusCode) == (int)status.StatusCode, what);
                Assert.True((isOk ? 204 : (int)plain.StatusCode) == (int)cancel.StatusCode, what);
            }
        }
    }

    [Fact]
    public async Task UseResumableUploadEndpoints_before_authorization_throws_with_the_order()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.UseRouting();
                app.UseResumableUploadEndpoints();
                app.UseAuthorization();
                app.MapPost("/x", static () => "done").RequireAuthorization().WithResumableUploads();
            },
            services: HeaderAuthentication.AddTo,
            onTestHost: true);
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(app, "POST", "/x", "sub:ann", 0, "1234"));
        Assert.Contains("Call app.UseAuthorization() before app.UseResumableUploadEndpoints()", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(app.Directory, "*.data", SearchOption.AllDirectories));
    }

    private static Task<TestApp> AppAsync(bool choosesPlace) => EndpointApp.StartAsync(
        app =>
        {
            if (choosesPlace)
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.UseResumableUploadEndpoints();
            }

            app.MapPost("/x", static async (HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                return $"{context.User.FindFirst("sub")!.Value} {await reader.ReadToEndAsync()}";
            }).RequireAuthorization().WithResumableUploads();
            app.MapPost("/boss", static () => "done").RequireAuthorization("boss").WithResumableUploads();
        },
        services: static builder =>
        {
            HeaderAuthentication.AddTo(builder);
            builder.Services.AddAuthorization(Policies);
        },
        onTestHost: true);

    private static void Policies(AuthorizationOptions options) => options.AddPolicy("boss", static policy => policy.RequireClaim("sub", "boss"));

    private static async Task<HttpResponseMessage> SendAsync(TestApp app, string method, string path, string? user, long start, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body) };
        request.Headers.Add("X-File-Id", "f");
        if (user is not null)
        {
            request.Headers.Add(HeaderAuthentication.Header, user);
        }

        if (body is not null)
        {
            request.Headers.Add("X-Start-Byte", $"{start}");
            request.Headers.Add("X-File-Size", "8");
        }

        return await app.Client.SendAsync(request);
    }
}

[Route("filtered")]
public sealed class FilteredController : ControllerBase
{
    [HttpPost, ResumableUpload]
    public string Post() => "done";

    [HttpPost("open"), ResumableUpload, AllowAnonymous]
    public string Open() => "done";
}
