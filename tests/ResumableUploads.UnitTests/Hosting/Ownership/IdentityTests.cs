using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Ownership;

public class IdentityTests
{
    private const int OwnerUnknown = 360;
    private const int AuthenticationTooLate = 361;

    [Fact]
    public async Task Same_name_in_two_schemes_is_two_owners()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true, before: static app => app.Use(static (context, next) =>
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity(
                [new Claim(ClaimTypes.Name, "ann", null, context.Request.Headers["X-Issuer"].ToString())], context.Request.Headers["X-Scheme"].ToString()));
            return next(context);
        }));
        (string, string)[] first = [("X-Scheme", "Basic"), ("X-Issuer", "a")];
        using HttpResponseMessage appended = await app.Client.AppendAsync("f", 0, new byte[10], 100, first);
        Assert.Equal(200, (int)appended.StatusCode);

        Assert.Equal("10", await StatusAsync(app, first));
        Assert.Equal("0", await StatusAsync(app, ("X-Scheme", "Negotiate"), ("X-Issuer", "a")));
        Assert.Equal("0", await StatusAsync(app, ("X-Scheme", "Basic"), ("X-Issuer", "b")));
    }

    [Theory]
    [InlineData(ClaimTypes.NameIdentifier)]
    [InlineData("sub")]
    public async Task Same_subject_of_two_issuers_is_two_owners(string claimType)
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true, before: app => app.Use((context, next) =>
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(claimType, "1", null, context.Request.Headers["X-Issuer"].ToString())], "Bearer"));
            return next(context);
        }));
        using HttpResponseMessage appended = await app.Client.AppendAsync("f", 0, new byte[10], 100, ("X-Issuer", "a"));
        Assert.Equal(200, (int)appended.StatusCode);
        Assert.Equal("10", await StatusAsync(app, ("X-Issuer", "a")));
        Assert.Equal("0", await StatusAsync(app, ("X-Issuer", "b")));
    }

    [Fact]
    public async Task User_without_identifier_is_logged_with_scheme_and_fix()
    {
        await using TestApp app = await TestApp.StartAsync(null, HeaderAuthentication.AddTo, static app => app.UseAuthentication(), onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 100, (HeaderAuthentication.Header, "?"));
        Assert.Equal(403, (int)response.StatusCode);
        string line = Assert.Single(Logged(app, OwnerUnknown));
        Assert.StartsWith("Warning", line, StringComparison.Ordinal);
        Assert.Contains("scheme header", line, StringComparison.Ordinal);
        Assert.Contains("options.Owner", line, StringComparison.Ordinal);
    }

    /// <param name="isTooLate">Whether authentication runs after uploads.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Uploads_before_authentication_log_one_warning(bool isTooLate)
    {
        Action<WebApplication> authenticate = static app => app.UseAuthentication();
        await using TestApp app = await TestApp.StartAsync(
            null, HeaderAuthentication.AddTo, before: isTooLate ? null : authenticate, after: isTooLate ? authenticate : null, onTestHost: true);
        await StatusAsync(app);
        await StatusAsync(app);

        string[] lines = Logged(app, AuthenticationTooLate);
        Assert.Equal(isTooLate ? 1 : 0, lines.Length);
        Assert.All(lines, static line => Assert.Contains("UseAuthentication() before UseResumableUploads()", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Apps_without_default_scheme_log_no_warning(bool hasServices)
    {
        await using TestApp app = await TestApp.StartAsync(
            services: builder => _ = hasServices ? builder.Services.AddAuthentication() : null, after: static app => app.UseRouting(), onTestHost: true);
        await StatusAsync(app);
        Assert.Empty(Logged(app, AuthenticationTooLate));
    }

    private static string[] Logged(TestApp app, int eventId) =>
        [.. app.Log.Lines.Where(line => line.Contains($"ResumableUploads[{eventId}]", StringComparison.Ordinal))];

    private static async Task<string> StatusAsync(TestApp app, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/status");
        request.Headers.Add("X-File-Id", "f");
        foreach ((string name, string value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using HttpResponseMessage response = await app.Client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
