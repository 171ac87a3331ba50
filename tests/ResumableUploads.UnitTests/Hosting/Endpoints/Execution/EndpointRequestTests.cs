using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>What an endpoint sees of its request, and changes in its response.</summary>
public class EndpointRequestTests
{
    [Fact]
    public async Task Endpoint_without_timeout_has_no_timeout_feature()
    {
        var seen = new List<IHttpRequestTimeoutFeature?>();
        await using TestApp app = await StartAsync(context =>
        {
            seen.Add(context.Features.Get<IHttpRequestTimeoutFeature>());
            return Task.CompletedTask;
        });
        using HttpResponseMessage response = await SendAsync(app);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Null(Assert.Single(seen));
    }

    [Fact]
    public async Task Route_value_that_middleware_has_parsed_is_kept()
    {
        await using TestApp app = await StartAsync(
            static context => context.Response.WriteAsync(context.Request.RouteValues["id"] is 5 ? "parsed" : "text"),
            static context => context.Request.RouteValues["id"] = 5);
        using HttpResponseMessage response = await SendAsync(app);
        Assert.Equal("parsed", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Header_that_the_endpoint_removes_is_not_sent()
    {
        await using TestApp app = await StartAsync(
            static context =>
            {
                context.Response.Headers.Remove("X-Removed");
                return Task.CompletedTask;
            },
            static context => context.Response.Headers["X-Removed"] = context.Response.Headers["X-Kept"] = "front");
        using HttpResponseMessage response = await SendAsync(app);
        Assert.Equal((200, "front", null), ((int)response.StatusCode, response.Header("X-Kept"), response.Header("X-Removed")));
    }

    [Fact]
    public async Task Endpoint_that_resets_its_stream_has_no_response_and_runs_again()
    {
        int runs = 0;
        bool isReset = false;
        await using TestApp app = await StartAsync(context =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(8);
                isReset = true;
            }

            return context.Response.WriteAsync("done");
        });
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        await Record.ExceptionAsync(() => SendAsync(app));
        await Eventually.TrueAsync(
            async () =>
            {
                using HttpResponseMessage repeated = await app.Client.AppendAsync("f", 1, new ByteArrayContent([]), 1, "/files/5");
                return await repeated.Content.ReadAsStringAsync() == "done";
            },
            "the endpoint has a response");
        Assert.Equal((true, 2), (isReset, runs));
    }

    private static Task<HttpResponseMessage> SendAsync(TestApp app) => app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, "/files/5");

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="before">Runs as middleware before the endpoint.</param>
    private static Task<TestApp> StartAsync(RequestDelegate endpoint, Action<HttpContext>? before = null) => EndpointApp.StartAsync(
        app =>
        {
            app.UseRouting();
            app.Use((context, next) =>
            {
                before?.Invoke(context);
                return next(context);
            });
            app.MapPost("/files/{id}", endpoint).WithResumableUploads();
        },
        onTestHost: true);
}
