using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

public class MappedEndpointTests
{
    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    public async Task Authorization_applies_to_every_chunk(string method)
    {
        await using TestApp app = await StartAsync(
            static app => Map(app, "/upload").RequireAuthorization(),
            HeaderAuthentication.AddTo,
            static app => app.UseAuthentication().UseAuthorization());
        using HttpResponseMessage stranger = await SendAsync(app, method, "/upload");
        using HttpResponseMessage known = await SendAsync(app, method, "/upload", (HeaderAuthentication.Header, "sub:1"));

        Assert.Equal(401, (int)stranger.StatusCode);
        Assert.Equal(method == "DELETE" ? 204 : 200, (int)known.StatusCode);
    }

    [Fact]
    public async Task Expired_session_rejects_next_chunk_and_keeps_offset()
    {
        await using TestApp app = await StartAsync(
            static app => Map(app, "/upload").RequireAuthorization(),
            HeaderAuthentication.AddTo,
            static app => app.UseAuthentication().UseAuthorization());
        (string, string) user = (HeaderAuthentication.Header, "sub:1");
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 30, user);
        using HttpResponseMessage stranger = await app.Client.AppendAsync("f", 10, new byte[10], 30);
        using HttpResponseMessage second = await app.Client.AppendAsync("f", 10, new byte[10], 30, user);

        Assert.Equal((200, 401, 200), ((int)first.StatusCode, (int)stranger.StatusCode, (int)second.StatusCode));
        Assert.Equal("20", await second.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Cors_policy_applies_to_preflight_and_responses()
    {
        await using TestApp app = await StartAsync(
            static app => Map(app, "/upload").RequireCors("pages"),
            static builder => builder.Services.AddCors(static cors => cors.AddPolicy("pages", static policy =>
                policy.WithOrigins("https://pages.example").WithResumableUploads())),
            static app => app.UseCors());
        using var request = new HttpRequestMessage(HttpMethod.Options, "/upload");
        request.Headers.Add("Origin", "https://pages.example");
        request.Headers.Add("Access-Control-Request-Method", "PATCH");
        request.Headers.Add("Access-Control-Request-Headers", "x-file-id,x-start-byte");
        using HttpResponseMessage preflight = await app.Client.SendAsync(request);
        using HttpResponseMessage response = await SendAsync(app, "POST", "/upload", ("Origin", "https://pages.example"));
        using HttpResponseMessage other = await SendAsync(app, "POST", "/upload", ("Origin", "https://elsewhere.example"));

        Assert.Equal((204, "https://pages.example"), ((int)preflight.StatusCode, preflight.Header("Access-Control-Allow-Origin")));
        Assert.Equal("https://pages.example", response.Header("Access-Control-Allow-Origin"));
        Assert.Null(other.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Route_parameters_separate_uploads()
    {
        await using TestApp app = await StartAsync(static app => Map(app.MapGroup("/albums/{album}"), "/upload"));
        using HttpResponseMessage one = await SendAsync(app, "POST", "/albums/1/upload");

        Assert.Equal(200, (int)one.StatusCode);
        Assert.Equal(10, await app.Client.StatusAsync("f", "/albums/1/upload"));
        Assert.Equal(10, await app.Client.StatusAsync("f", "/albums/1/upload/"));
        Assert.Equal(0, await app.Client.StatusAsync("f", "/albums/2/upload"));
    }

    [Fact]
    public async Task Map_in_group_with_prefix_and_host_filter_works()
    {
        await using TestApp app = await StartAsync(static app => Map(app.MapGroup("/api").RequireHost("localhost"), "/upload"));
        using HttpResponseMessage here = await SendAsync(app, "POST", "/api/upload");
        using HttpResponseMessage outside = await SendAsync(app, "POST", "/upload");

        Assert.Equal((200, 404), ((int)here.StatusCode, (int)outside.StatusCode));
    }

    [Theory]
    [InlineData("/one/upload", "/two/upload", null, null)]
    [InlineData("/upload", "/upload", "one.example", "two.example")]
    public async Task Scope_does_not_join_the_uploads_of_two_endpoints(string one, string two, string? oneHost, string? twoHost)
    {
        await using TestApp app = await StartAsync(app =>
        {
            foreach ((string path, string? host) in new[] { (one, oneHost), (two, twoHost) })
            {
                IEndpointConventionBuilder mapped = app.MapGroup(path[..^"/upload".Length]).MapResumableUploads("/upload", static options =>
                {
                    options.FileSystem.Durability = Durability.ProcessCrash;
                    options.Scope = static _ => "shared";
                });
                _ = host is null ? mapped : mapped.RequireHost(host);
            }
        });
        foreach (string protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf })
        {
            string url = await app.Client.BeginAsync(protocol, one, [1, 2, 3], 6, ("Host", oneHost ?? "localhost"));
            string other = url.Replace(one, two, StringComparison.Ordinal);
            Assert.NotEqual("3", (await app.Client.GetOffsetAsync(protocol, other, ("Host", twoHost ?? "localhost"))).Offset);
            using HttpResponseMessage done = await app.Client.FinishAsync(protocol, url, 3, [4, 5, 6], ("Host", oneHost ?? "localhost"));
            Assert.True(done.IsSuccessStatusCode);
        }
    }

    [Theory]
    [InlineData("TRACE", 405)]
    [InlineData("OPTIONS", 200)]
    public async Task Other_methods_return_Allow_header(string method, int status)
    {
        await using TestApp app = await StartAsync(static app => Map(app, "/upload"));
        using HttpResponseMessage response = await SendAsync(app, method, "/upload");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", response.Header("Allow")?.Replace(",", ", ", StringComparison.Ordinal).Replace(",  ", ", ", StringComparison.Ordinal));
    }

    private static IEndpointConventionBuilder Map(IEndpointRouteBuilder app, string pattern) =>
        app.MapResumableUploads(pattern, static options => options.FileSystem.Durability = Durability.ProcessCrash);

    private static Task<TestApp> StartAsync(
        Action<WebApplication> map, Action<WebApplicationBuilder>? services = null, Action<WebApplication>? before = null) =>
        TestApp.StartAsync(services: services, before: before, after: map, useUploads: false, onTestHost: true);

    private static async Task<HttpResponseMessage> SendAsync(TestApp app, string method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST" or "PUT" or "PATCH")
        {
            request.Content = new ByteArrayContent(new byte[10]);
            request.Headers.Add("X-File-Size", "30");
        }

        request.Headers.Add("X-File-Id", "f");
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await app.Client.SendAsync(request);
    }
}
