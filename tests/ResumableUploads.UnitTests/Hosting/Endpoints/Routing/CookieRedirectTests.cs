using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Cookie authentication redirects to a page, which an upload client follows and takes for a success. Requests of upload protocols get 401 or 403.</summary>
public class CookieRedirectTests
{
    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Signed_out_client_gets_401_at_mapped_path(string protocol)
    {
        await using TestApp app = await StartAsync(static app => app.MapResumableUploads("/upload").RequireAuthorization());
        using HttpResponseMessage created = await app.Client.SendFirstAsync(protocol, "/upload", [1], 2);
        Assert.Equal(401, (int)created.StatusCode);
        foreach (string method in new[] { "POST", "PATCH", "HEAD", "GET", "DELETE" })
        {
            using HttpResponseMessage request = await app.Client.TusAsync(method, "/upload/0123456789012345678901234567890123456789");
            Assert.Equal(401, (int)request.StatusCode);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Signed_out_client_gets_401_at_resumable_endpoint(string protocol)
    {
        await using TestApp app = await StartAsync(static app => app.MapPost("/videos", static () => "made").RequireAuthorization().WithResumableUploads());
        using HttpResponseMessage created = await app.Client.SendFirstAsync(protocol, "/videos", [1], 2);
        Assert.Equal(401, (int)created.StatusCode);
        (int status, _) = await app.Client.GetOffsetAsync(protocol, "/videos?resumable-upload=0123456789012345678901234567890123456789");
        Assert.Equal(401, status);
    }

    [Fact]
    public async Task Client_without_permission_gets_403()
    {
        await using TestApp app = await StartAsync(static app =>
        {
            app.MapGet("/sign-in", static (HttpContext context) => Results.SignIn(new(new System.Security.Claims.ClaimsIdentity([new("sub", "1")], "test"))));
            app.MapPost("/videos", static () => "made").RequireAuthorization(static policy => policy.RequireClaim("uploads")).WithResumableUploads();
        });
        using HttpResponseMessage signedIn = await app.Client.GetAsync("/sign-in");
        string cookie = signedIn.Header("Set-Cookie")!.Split(';')[0];
        using HttpResponseMessage refused = await app.Client.SendFirstAsync(ProtocolClient.FileId, "/videos", [1], 2, ("Cookie", cookie));
        Assert.Equal(403, (int)refused.StatusCode);
    }

    [Fact]
    public async Task Plain_request_to_resumable_endpoint_is_redirected_as_without_the_package()
    {
        await using TestApp app = await StartAsync(static app => app.MapPost("/videos", static () => "made").RequireAuthorization().WithResumableUploads());
        using HttpResponseMessage plain = await app.Client.PostAsync("/videos", new ByteArrayContent([1]));
        Assert.Equal(302, (int)plain.StatusCode);
    }

    [Fact]
    public async Task AllowCookieRedirect_of_the_app_takes_precedence()
    {
        await using TestApp app = await StartAsync(static app =>
        {
            app.MapResumableUploads("/upload").RequireAuthorization().AllowCookieRedirect();
            app.MapPost("/videos", static () => "made").RequireAuthorization().WithResumableUploads().AllowCookieRedirect();
        });
        foreach (string path in new[] { "/upload", "/videos" })
        {
            using HttpResponseMessage created = await app.Client.SendFirstAsync(ProtocolClient.FileId, path, [1], 2);
            Assert.Equal(302, (int)created.StatusCode);
        }
    }

    private static Task<TestApp> StartAsync(Action<WebApplication> map) => EndpointApp.StartAsync(
        app =>
        {
            app.UseAuthentication().UseAuthorization();
            map(app);
        },
        services: static builder =>
        {
            builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
            builder.Services.AddAuthorization();
        },
        onTestHost: true);
}
