using System.Net;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

public class DashboardAccessTests
{
    public static TheoryData<string> Paths => ["/uploads", "/uploads/events", "/uploads/dashboard.js", "/uploads/dashboard.css", "/uploads/actions"];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Dashboard_that_is_not_mapped_is_not_found(string path)
    {
        await using DashboardApp app = await DashboardApp.StartAsync(isMapped: false);
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(app.Operator, path));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_without_user_returns_401(string path)
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(app.Anonymous, path));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_of_user_without_policy_returns_403(string path)
    {
        await using DashboardApp app = await DashboardApp.StartAsync(conventions: static builder => builder.RequireAuthorization("operators"));
        app.Anonymous.DefaultRequestHeaders.Add(HeaderAuthentication.Header, "sub:client");
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(app.Anonymous, path));
        Assert.NotEqual(HttpStatusCode.Forbidden, await SendAsync(app.Operator, path));
    }

    [Fact]
    public async Task Unauthenticated_access_can_be_allowed()
    {
        await using DashboardApp app = await DashboardApp.StartAsync(static options => options.AllowUnauthenticatedAccess = true);
        Assert.Equal(HttpStatusCode.OK, await SendAsync(app.Anonymous, "/uploads"));
    }

    [Fact]
    public async Task Action_without_antiforgery_token_returns_400_and_changes_nothing()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        string page = await app.GetPageAsync();

        using HttpResponseMessage response = await app.ClickAsync(page, "cancel", withToken: false);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Single((await app.Manager.ListAsync(new UploadListQuery())).Uploads);
        Assert.DoesNotContain(app.App.Log.Lines, static line => line.Contains("[310]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Action_by_GET_returns_405()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        using HttpResponseMessage response = await app.Operator.GetAsync("/uploads/actions");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Theory]
    [InlineData("/uploads")]
    [InlineData("/uploads/dashboard.js")]
    [InlineData("/uploads/dashboard.css")]
    public async Task Responses_have_a_strict_content_security_policy(string path)
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        using HttpResponseMessage response = await app.Operator.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        string policy = response.Header("Content-Security-Policy")!;
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
    }

    private static async Task<HttpStatusCode> SendAsync(HttpClient client, string path)
    {
        using var request = new HttpRequestMessage(path.EndsWith("/actions", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, path);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }
}
