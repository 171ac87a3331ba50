using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Startup;

/// <summary>What is wrong with an app's resumable endpoints is told when it starts.</summary>
public class EndpointStartTests
{
    [Fact]
    public async Task Without_the_services_the_first_request_names_the_call_that_is_missing()
    {
        await using TestApp app = await TestApp.StartAsync(after: app => app.MapPost("/e", () => "x").WithResumableUploads(), useUploads: false);
        using HttpResponseMessage answer = await app.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains(app.Log.Lines, static line => line.Contains("builder.Services.AddResumableUploads()", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_the_services_a_group_and_the_middleware_say_so_at_once()
    {
        await using WebApplication app = WebApplication.CreateSlimBuilder().Build();
        Assert.Contains("AddResumableUploads()", Assert.Throws<InvalidOperationException>(() => app.MapGroup("/g").WithResumableUploads()).Message);
        Assert.Contains("AddResumableUploads()", Assert.Throws<InvalidOperationException>(() => app.UseResumableUploadEndpoints()).Message);
    }

    [Fact]
    public async Task An_OnCompleted_that_would_not_be_called_stops_the_start() =>
        Assert.Contains("OnCompleted", (await FailsAsync(app =>
            app.MapPost("/e", () => "x").WithResumableUploads(static options => options.OnCompleted = static (_, _) => Task.CompletedTask))).Message);

    [Fact]
    public async Task A_wrong_option_of_an_endpoint_stops_the_start_with_its_name()
    {
        OptionsValidationException thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => EndpointApp.StartAsync(app =>
            app.MapPost("/e", () => "x").WithResumableUploads(static options => options.MaxUploadSize = 0)));
        Assert.Contains("MaxUploadSize", thrown.Message);
    }

    [Fact]
    public async Task Request_decompression_in_front_of_the_pieces_stops_the_start_with_the_right_order()
    {
        InvalidOperationException thrown = await FailsAsync(
            app =>
            {
                app.UseRequestDecompression();
                app.MapPost("/e", () => "x").WithResumableUploads();
            },
            static builder => builder.Services.AddRequestDecompression());
        Assert.Contains("app.UseResumableUploadEndpoints() before app.UseRequestDecompression()", thrown.Message);
        thrown = await FailsAsync(
            app =>
            {
                app.UseRequestDecompression();
                app.UseResumableUploadEndpoints();
                app.MapPost("/e", () => "x").WithResumableUploads();
            },
            static builder => builder.Services.AddRequestDecompression());
        Assert.Contains("app.UseResumableUploadEndpoints() before app.UseRequestDecompression()", thrown.Message);
    }

    [Fact]
    public async Task Request_decompression_behind_the_pieces_or_without_resumable_endpoints_is_fine()
    {
        await using TestApp behind = await EndpointApp.StartAsync(
            app =>
            {
                app.UseResumableUploadEndpoints();
                app.UseRequestDecompression();
                app.MapPost("/e", () => "x").WithResumableUploads();
            },
            services: static builder => builder.Services.AddRequestDecompression());
        await using TestApp without = await EndpointApp.StartAsync(
            app =>
            {
                app.UseRequestDecompression();
                app.MapPost("/e", () => "x");
            },
            services: static builder => builder.Services.AddRequestDecompression());
    }

    [Fact]
    public async Task Antiforgery_in_front_of_the_pieces_place_is_refused_with_the_right_order()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddResumableUploads();
        builder.Services.AddAntiforgery();
        await using WebApplication app = builder.Build();
        app.UseAntiforgery();
        Assert.Contains(
            "Call app.UseResumableUploadEndpoints() first", Assert.Throws<InvalidOperationException>(() => app.UseResumableUploadEndpoints()).Message);
    }

    [Theory]
    [InlineData("named", false, true)]
    [InlineData("global", false, true)]
    [InlineData("disabled", false, false)]
    [InlineData("none", false, false)]
    [InlineData("named", true, false)]
    public async Task A_rate_limiter_in_front_of_the_pieces_is_warned_of(string limiter, bool isBehind, bool warns)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                if (isBehind)
                {
                    app.UseResumableUploadEndpoints();
                }

                app.UseRateLimiter();
                IEndpointConventionBuilder endpoint = app.MapPost("/e", () => "x").WithResumableUploads();
                _ = limiter switch
                {
                    "named" => endpoint.RequireRateLimiting("one"),
                    "disabled" => endpoint.DisableRateLimiting(),
                    _ => endpoint,
                };
            },
            services: builder => builder.Services.AddRateLimiter(options =>
            {
                options.AddConcurrencyLimiter("one", static one => one.PermitLimit = 1);
                if (limiter is "global" or "disabled")
                {
                    options.GlobalLimiter = System.Threading.RateLimiting.PartitionedRateLimiter.Create<HttpContext, string>(
                        static _ => System.Threading.RateLimiting.RateLimitPartition.GetNoLimiter(""));
                }
            }));
        Assert.Equal(warns, app.Log.Lines.Any(static line => line.StartsWith("Warning", StringComparison.Ordinal)
            && line.Contains("app.UseResumableUploadEndpoints() before app.UseRateLimiter()", StringComparison.Ordinal)));
    }

    private static Task<InvalidOperationException> FailsAsync(Action<WebApplication> map, Action<WebApplicationBuilder>? services = null) =>
        Assert.ThrowsAsync<InvalidOperationException>(() => EndpointApp.StartAsync(map, services: services));
}
