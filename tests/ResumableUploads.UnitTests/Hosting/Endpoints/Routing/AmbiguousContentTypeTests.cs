using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>Requests without a content type to a URL where several endpoints accept different ones.</summary>
public class AmbiguousContentTypeTests
{
    [Fact]
    public async Task Response_is_415_for_every_user_and_names_no_type()
    {
        await using TestApp app = await StartAsync(endpoint => endpoint.RequireAuthorization());
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[1], 1);
        string text = await response.Content.ReadAsStringAsync();
        Assert.Equal(415, (int)response.StatusCode);
        Assert.Contains("urn:resumable-uploads:content-type", text, StringComparison.Ordinal);
        Assert.DoesNotContain("image/png", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fallback_policy_does_not_apply()
    {
        await using TestApp app = await StartAsync(static endpoint => endpoint.AllowAnonymous());
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[1], 1);
        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact]
    public async Task Page_of_another_origin_can_read_the_response()
    {
        await using TestApp app = await StartAsync(static endpoint => endpoint.RequireCors("any"));
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[1], 1, ("Origin", "https://app.example"));
        Assert.Equal((415, "*"), ((int)response.StatusCode, response.Header("Access-Control-Allow-Origin")));
    }

    /// <summary>The authorization middleware keeps the policies of every endpoint that it has seen.</summary>
    [Fact]
    public async Task Requests_share_an_endpoint()
    {
        var endpoints = new ConcurrentBag<Endpoint>();
        await using TestApp app = await StartAsync(static _ => { }, endpoints);
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync($"f{i}", 0, new byte[1], 1);
            Assert.Equal(415, (int)response.StatusCode);
        }

        Assert.Equal(3, endpoints.Count);
        Assert.Single(endpoints.Distinct(ReferenceEqualityComparer.Instance));
    }

    private static Task<TestApp> StartAsync(Action<RouteHandlerBuilder> configure, ConcurrentBag<Endpoint>? endpoints = null) => EndpointApp.StartAsync(
        app =>
        {
            app.UseRouting();
            app.UseCors();
            app.UseAuthentication();
            app.UseAuthorization();
            app.Use((context, next) =>
            {
                endpoints?.Add(context.GetEndpoint()!);
                return next(context);
            });
            foreach (string type in new[] { "image/png", "text/plain" })
            {
                configure(app.MapPost("/upload", (Stream body) => type).Accepts<Stream>(type).WithResumableUploads());
            }
        },
        services: static builder =>
        {
            HeaderAuthentication.AddTo(builder);
            builder.Services.AddCors(static cors => cors.AddPolicy("any", static policy => policy.AllowAnyOrigin()));
            builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        },
        onTestHost: true);
}
