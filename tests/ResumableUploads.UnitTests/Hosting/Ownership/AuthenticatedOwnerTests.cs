using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Ownership;

public class AuthenticatedOwnerTests
{
    [Theory]
    [InlineData("sub:1", "sub:2")]
    [InlineData("id:1", "id:2")]
    [InlineData("name:ann", "name:bob")]
    [InlineData("sub:1", "name:1")]
    [InlineData("sub:1", "")]
    public async Task Upload_does_not_exist_for_another_user(string owner, string other)
    {
        await using TestApp app = await StartAsync();
        using (HttpResponseMessage created = await AppendAsync(app, owner, 0, 10))
        {
            Assert.Equal(200, (int)created.StatusCode);
        }

        Assert.Equal(0, await StatusAsync(app, other));
        using (HttpResponseMessage appended = await AppendAsync(app, other, 10, 5))
        {
            Assert.Equal((409, "0"), ((int)appended.StatusCode, appended.Header("X-Start-Byte")));
        }

        using (HttpResponseMessage own = await AppendAsync(app, other, 0, 7))
        {
            Assert.Equal(200, (int)own.StatusCode);
        }

        Assert.Equal(7, await StatusAsync(app, other));
        using (HttpResponseMessage deleted = await SendAsync(app, HttpMethod.Delete, other))
        {
            Assert.Equal(204, (int)deleted.StatusCode);
        }

        Assert.Equal(10, await StatusAsync(app, owner));
    }

    [Fact]
    public async Task User_without_identifier_gets_403_that_names_the_Owner_option()
    {
        await using TestApp app = await StartAsync();
        foreach (HttpMethod method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post, HttpMethod.Delete])
        {
            using HttpResponseMessage response = await SendAsync(app, method, "?");
            using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            Assert.Equal(403, (int)response.StatusCode);
            Assert.Equal("urn:resumable-uploads:owner-unknown", problem.RootElement.GetProperty("type").GetString());
            Assert.Contains("options.Owner", problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Owner_option_determines_the_owner()
    {
        await using TestApp app = await StartAsync(static options => options.Owner = static context =>
            context.Request.Headers["X-Tenant"].ToString() is { Length: > 0 } tenant ? tenant : null);
        using (HttpResponseMessage created = await AppendAsync(app, "sub:1", 0, 10, ("X-Tenant", "A/../ \u00e9\n")))
        {
            Assert.Equal(200, (int)created.StatusCode);
        }

        // The owner is the tenant and does not depend on the user: "?" is a user without an identifier.
        Assert.Equal(10, await StatusAsync(app, "?", ("X-Tenant", "A/../ \u00e9\n")));
        Assert.Equal(0, await StatusAsync(app, "sub:1", ("X-Tenant", "B")));

        // A null owner is anonymous.
        Assert.Equal(0, await StatusAsync(app, "sub:1"));
    }

    [Fact]
    public async Task Null_owner_with_AnonymousOwner_Reject_returns_401()
    {
        await using TestApp app = await StartAsync(static options =>
        {
            options.Owner = static _ => null;
            options.AnonymousOwner = AnonymousOwner.Reject;
        });
        using HttpResponseMessage response = await SendAsync(app, HttpMethod.Get, "sub:1");
        Assert.Equal(401, (int)response.StatusCode);
    }

    [Fact]
    public async Task Same_identifier_of_two_schemes_without_issuer_is_two_owners()
    {
        await using TestApp app = await StartWithPrincipalAsync(static user => new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "1")], user)));
        using HttpResponseMessage created = await AppendAsync(app, "staff", 0, 10);
        Assert.Equal((10, 0), (await StatusAsync(app, "staff"), await StatusAsync(app, "customers")));
    }

    [Fact]
    public async Task Identifier_of_an_identity_that_is_not_authenticated_is_ignored()
    {
        await using TestApp app = await StartWithPrincipalAsync(static user => new(
            [new ClaimsIdentity([new Claim(ClaimTypes.Name, user)], "header"), new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "1")])]));
        using HttpResponseMessage created = await AppendAsync(app, "ann", 0, 10);
        Assert.Equal((10, 0), (await StatusAsync(app, "ann"), await StatusAsync(app, "bob")));
    }

    /// <summary>A claims transformation or a second scheme can put an identity in front of the one that is authenticated.</summary>
    [Theory]
    [InlineData(ClaimTypes.Name)]
    [InlineData(ClaimTypes.NameIdentifier)]
    public async Task User_whose_first_identity_is_not_authenticated_has_an_owner(string claim)
    {
        await using TestApp app = await StartWithPrincipalAsync(user => new([new ClaimsIdentity(), new ClaimsIdentity([new Claim(claim, user)], "header")]));
        using HttpResponseMessage created = await AppendAsync(app, "ann", 0, 10);
        Assert.Equal((10, 0), (await StatusAsync(app, "ann"), await StatusAsync(app, "bob")));
    }

    [Fact]
    public async Task User_whose_authenticated_identities_are_unnamed_gets_403()
    {
        await using TestApp app = await StartWithPrincipalAsync(static _ => new([new ClaimsIdentity(), new ClaimsIdentity("header"), new ClaimsIdentity("other")]));
        using HttpResponseMessage response = await AppendAsync(app, "ann", 0, 10);
        Assert.Equal(403, (int)response.StatusCode);
    }

    private static Task<TestApp> StartWithPrincipalAsync(Func<string, ClaimsPrincipal> create) => TestApp.StartAsync(
        before: app => app.Use((context, next) =>
        {
            context.User = create(context.Request.Headers[HeaderAuthentication.Header].ToString());
            return next(context);
        }),
        onTestHost: true);

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null) => TestApp.StartAsync(
        configure, HeaderAuthentication.AddTo, static app => app.UseAuthentication().UseAuthorization(), onTestHost: true);

    private static Task<HttpResponseMessage> AppendAsync(TestApp app, string user, long start, int length, params (string, string)[] headers) =>
        app.Client.AppendAsync("f", start, new byte[length], 100, [(HeaderAuthentication.Header, user), .. headers]);

    private static async Task<long> StatusAsync(TestApp app, string user, params (string, string)[] headers)
    {
        using HttpResponseMessage response = await SendAsync(app, HttpMethod.Get, user, headers);
        return long.Parse(await response.Content.ReadAsStringAsync());
    }

    private static async Task<HttpResponseMessage> SendAsync(TestApp app, HttpMethod method, string user, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, "/upload");
        request.Headers.TryAddWithoutValidation("X-File-Id", "f");
        request.Headers.TryAddWithoutValidation(HeaderAuthentication.Header, user);
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await app.Client.SendAsync(request);
    }
}
