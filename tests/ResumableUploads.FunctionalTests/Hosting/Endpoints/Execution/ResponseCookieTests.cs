using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.CookiePolicy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>Cookies that the endpoint and the middleware around it set in the same response.</summary>
public partial class ResponseCookieTests
{
    [Theory]
    [InlineData("/before")]
    [InlineData("/starting")]
    public async Task Upload_sets_the_same_cookies_as_a_plain_request(string path)
    {
        await using TestApp app = await EndpointApp.StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                if (path == "/before")
                {
                    context.Response.Cookies.Append("outer", "1");
                }
                else
                {
                    context.Response.OnStarting(() =>
                    {
                        context.Response.Cookies.Append("outer", "1");
                        return Task.CompletedTask;
                    });
                }

                return next(context);
            });
            app.MapPost(path, static (HttpContext context) =>
            {
                context.Response.Cookies.Append("inner", "2");
                return "saved";
            }).WithResumableUploads();
        });
        using var plain = new ByteArrayContent([1]);
        using HttpResponseMessage expected = await app.Client.PostAsync(path, plain);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, path);
        Assert.Equal((200, "saved"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(Cookies(expected), Cookies(response));
        Assert.Equal(2, Cookies(response).Length);
    }

    /// <summary>The places of a cookie policy, and whether the middleware around the policy has set a cookie before the endpoint does.</summary>
    public static TheoryData<string, bool> Policies => new(
        from place in new[] { "before routing", "after routing", "behind the endpoints" } from isOuterCookieSet in new[] { false, true } select (place, isOuterCookieSet));

    [Theory]
    [MemberData(nameof(Policies))]
    public async Task Cookie_policy_applies_to_cookies_of_the_endpoint(string place, bool isOuterCookieSet)
    {
        await using TestApp app = await EndpointApp.StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                if (isOuterCookieSet)
                {
                    context.Response.Cookies.Append("outer", "1");
                }

                context.Response.OnStarting(() =>
                {
                    // A policy behind the endpoints does not apply to the middleware in front of them.
                    if (place != "behind the endpoints")
                    {
                        context.Response.Cookies.Append("last", "4");
                    }

                    return Task.CompletedTask;
                });
                return next(context);
            });
            UsePolicy("before routing");
            app.UseRouting();
            UsePolicy("after routing");
            app.UseResumableUploadEndpoints();
            UsePolicy("behind the endpoints");
            app.MapPost("/e", static (HttpContext context) =>
            {
                IResponseCookies cookies = context.Response.Cookies;
                cookies.Append("inner", "2");
                cookies.Append("essential", "3", new CookieOptions { IsEssential = true });
                cookies.Delete("old");
                cookies.Delete("older", new CookieOptions { Path = "/a" });
                ITrackingConsentFeature consent = context.Features.GetRequiredFeature<ITrackingConsentFeature>();
                bool couldTrack = consent.CanTrack;
                consent.GrantConsent();
                cookies.Append("granted", "5");
                return $"{consent.IsConsentNeeded} {couldTrack} {consent.HasConsent} {consent.CreateConsentCookie().Length > 0}";
            }).WithResumableUploads();

            void UsePolicy(string where)
            {
                if (where == place)
                {
                    app.UseCookiePolicy(new CookiePolicyOptions
                    {
                        HttpOnly = HttpOnlyPolicy.Always,
                        Secure = CookieSecurePolicy.Always,
                        MinimumSameSitePolicy = SameSiteMode.Strict,
                        CheckConsentNeeded = static _ => true,
                    });
                }
            }
        });
        using var plain = new ByteArrayContent([1]);
        using HttpResponseMessage expected = await app.Client.PostAsync("/e", plain);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, "/e");
        Assert.Equal((200, "True False True True"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(Cookies(expected), Cookies(response));
        Assert.Single(Cookies(response), static cookie => cookie.StartsWith(".AspNet.Consent=yes; expires=in a year;", StringComparison.Ordinal));
        string essential = Assert.Single(Cookies(response), static cookie => cookie.StartsWith("essential=", StringComparison.Ordinal));
        Assert.Equal("essential=3; path=/; secure; samesite=strict; httponly", essential);
        Assert.DoesNotContain(Cookies(response), static cookie => cookie.StartsWith("inner=", StringComparison.Ordinal));

        using HttpResponseMessage replayed = await app.Client.AppendAsync("f", 1, new ByteArrayContent([]), 1, "/e");
        Assert.Equal("true", replayed.Header("X-Upload-Replayed"));
        Assert.DoesNotContain(Cookies(replayed), static cookie => cookie.StartsWith("essential=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cookie_after_the_response_has_started_throws_as_in_a_plain_request()
    {
        await using TestApp app = await EndpointApp.StartAsync(static app =>
        {
            app.UseCookiePolicy(new CookiePolicyOptions { HttpOnly = HttpOnlyPolicy.Always });
            app.MapPost("/e", static async context =>
            {
                await context.Response.StartAsync();
                Exception? exception = Record.Exception(() => context.Response.Cookies.Append("late", "1"));
                await context.Response.WriteAsync(exception?.GetType().Name ?? "none");
            }).WithResumableUploads();
        });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, "/e");
        Assert.Equal(nameof(InvalidOperationException), await response.Content.ReadAsStringAsync());
        Assert.Empty(Cookies(response));
    }

    /// <summary>Returns the cookies of the app, without that of the anonymous owner. That of the consent expires a year after its request.</summary>
    private static string[] Cookies(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? values)
            ? [.. values.Where(static value => !value.Contains("resumable-uploads", StringComparison.Ordinal))
                .Select(static value => ConsentExpiration().Replace(value, "in a year")).Order(StringComparer.Ordinal)]
            : [];

    [GeneratedRegex(@"(?<=^\.AspNet\.Consent=.* expires=)[^;]+", RegexOptions.CultureInvariant)]
    private static partial Regex ConsentExpiration();
}
