using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>
/// The app's request timeouts do not apply to chunks, and start with the endpoint. The clock of the app stands still until a test advances it. The clock of the
/// framework's timeouts does not.
/// </summary>
public class TimeoutTests
{
    private const string Path = "/e";

    private static readonly TimeSpan EndpointTimeout = TimeSpan.FromMinutes(2);

    /// <summary>A timeout that a test waits for.</summary>
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(4);

    /// <summary>A time after which the timeout would have elapsed.</summary>
    private static readonly TimeSpan Longer = EndpointTimeout * 1.5;

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The places where an app can configure a timeout.</summary>
    public static TheoryData<string> Places => ["policy", "attribute", "named", "default"];

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Chunk_may_take_longer_than_endpoint_timeout(string place)
    {
        await using TestApp app = await StartAsync(place, static context => context.Response.WriteAsync("done"), ShortTimeout);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync($"POST {Path}", "X-File-Id: f", "X-File-Size: 6", "Content-Length: 6");
        await connection.SendAsync("abc");

        // Longer than the timeout, so the chunk only succeeds if the timeout does not apply to it.
        await Task.Delay(ShortTimeout * 1.5, TimeProvider.System);
        await connection.SendAsync("def");
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal((200, "done"), (response!.Status, response.Body));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Endpoint_timeout_cancels_handler_and_is_not_final(string place)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(place, async context =>
        {
            if (++runs == 1)
            {
                Assert.NotNull(context.Features.Get<IHttpRequestTimeoutFeature>());
                _entered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }

            await context.Response.WriteAsync("done");
        });
        using HttpResponseMessage late = await SendUntilTimeoutAsync(app);
        Assert.Equal((place == "named" ? 503 : 504, "false"), ((int)late.StatusCode, late.Header("X-Upload-Complete")));
        Assert.Equal(place == "named" ? "too long" : "", await late.Content.ReadAsStringAsync());
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 3, new ByteArrayContent([]), 3, Path);
        Assert.Equal((200, "done", 2), ((int)again.StatusCode, await again.Content.ReadAsStringAsync(), runs));
    }

    [Theory]
    [InlineData("policy")]
    [InlineData("named")]
    public async Task Response_of_endpoint_that_catches_its_timeout_is_not_final(string place)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(place, async context =>
        {
            if (++runs == 1)
            {
                _entered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            await context.Response.WriteAsync("done");
        });
        using HttpResponseMessage late = await SendUntilTimeoutAsync(app);
        Assert.Equal((place == "named" ? 503 : 504, "false"), ((int)late.StatusCode, late.Header("X-Upload-Complete")));
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 3, new ByteArrayContent([]), 3, Path);
        Assert.Equal((200, "done", 2), ((int)again.StatusCode, await again.Content.ReadAsStringAsync(), runs));
    }

    [Fact]
    public async Task Endpoint_can_disable_timeout()
    {
        await using TestApp app = await StartAsync("policy", async context =>
        {
            context.Features.Get<IHttpRequestTimeoutFeature>()!.DisableTimeout();
            _time.Advance(Longer);
            Assert.False(context.RequestAborted.IsCancellationRequested);
            await context.Response.WriteAsync("done");
        });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1, 2, 3]), 3, Path);
        Assert.Equal((200, "done"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task App_without_request_timeouts_has_none_for_endpoints()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost(Path, (HttpContext context) =>
            {
                Assert.Null(context.Features.Get<IHttpRequestTimeoutFeature>());
                _time.Advance(Longer);
                Assert.False(context.RequestAborted.IsCancellationRequested);
                return "done";
            }).WithResumableUploads().WithMetadata(new RequestTimeoutPolicy { Timeout = EndpointTimeout }),
            services: builder => builder.Services.AddSingleton<TimeProvider>(_time).AddRequestTimeouts());
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1, 2, 3]), 3, Path);
        Assert.Equal("done", await response.Content.ReadAsStringAsync());
    }

    /// <summary>Sends a file, and advances the clock when its endpoint runs.</summary>
    private async Task<HttpResponseMessage> SendUntilTimeoutAsync(TestApp app)
    {
        Task<HttpResponseMessage> sending = app.Client.AppendAsync("f", 0, new ByteArrayContent([1, 2, 3]), 3, Path);
        await Eventually.WithinAsync(_entered.Task);
        _time.Advance(EndpointTimeout);
        return await sending;
    }

    private Task<TestApp> StartAsync(string place, RequestDelegate endpoint, TimeSpan? timeout = null) => EndpointApp.StartAsync(
        app =>
        {
            app.UseRequestTimeouts();
            IEndpointConventionBuilder builder = app.MapPost(Path, endpoint).WithResumableUploads();
            _ = place switch
            {
                "policy" => builder.WithRequestTimeout(timeout ?? EndpointTimeout),
                "attribute" => builder.WithMetadata(new RequestTimeoutAttribute((int)(timeout ?? EndpointTimeout).TotalMilliseconds)),
                "named" => builder.WithRequestTimeout("short"),
                _ => builder,
            };
        },
        services: builder => builder.Services.AddSingleton<TimeProvider>(_time).AddRequestTimeouts(options =>
        {
            options.AddPolicy("short", new RequestTimeoutPolicy
            {
                Timeout = timeout ?? EndpointTimeout,
                TimeoutStatusCode = 503,
                WriteTimeoutResponse = static context => context.Response.WriteAsync("too long"),
            });
            if (place == "default")
            {
                options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = timeout ?? EndpointTimeout };
            }
        }));
}
