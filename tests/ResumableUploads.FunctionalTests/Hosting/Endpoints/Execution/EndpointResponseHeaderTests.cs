using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>The headers of a response depend on whether it is the response of the run, and on whether its status allows a body.</summary>
public class EndpointResponseHeaderTests
{
    private const string Path = "/e";

    [Fact]
    public async Task Response_that_is_not_final_has_headers_that_are_not_stored()
    {
        await using TestApp app = await StartAsync(static context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic";
            context.Response.Headers["X-Run"] = "1";
            return context.Response.WriteAsync("sign in");
        });
        using HttpResponseMessage response = await SendAsync(app);
        Assert.Equal((401, "Basic", "1"), ((int)response.StatusCode, response.Header("WWW-Authenticate"), response.Header("X-Run")));
        Assert.Equal("sign in", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Headers_of_a_run_that_throws_are_not_sent()
    {
        await using TestApp app = await StartAsync(static context =>
        {
            context.Response.Headers["X-Run"] = "1";
            throw new InvalidOperationException("not today");
        });
        using HttpResponseMessage response = await SendAsync(app);
        Assert.Equal((503, null), ((int)response.StatusCode, response.Header("X-Run")));
    }

    [Fact]
    public async Task Headers_of_a_response_that_cannot_be_stored_are_not_sent()
    {
        var store = new ChaosUploadStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(
            static context =>
            {
                context.Response.Headers["X-Run"] = "1";
                context.Response.Headers.SetCookie = "session=1";
                return context.Response.WriteAsync("saved");
            },
            options => options.Store = store);
        store.InjectFault(ChaosOperation.Complete, ChaosTiming.BeforeCall, ChaosFault.Throw(StoreFailure.Unavailable));
        using HttpResponseMessage response = await SendAsync(app);
        Assert.Equal((503, null, null), ((int)response.StatusCode, response.Header("X-Run"), response.Header("Set-Cookie")));
    }

    [Theory]
    [InlineData(204, 4)]
    [InlineData(205, 4)]
    [InlineData(304, 4)]
    [InlineData(204, 100_000)]
    [InlineData(205, 100_000)]
    [InlineData(304, 100_000)]
    public async Task Body_under_a_status_without_body_is_discarded(int status, int length)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(async context =>
        {
            runs++;
            context.Response.StatusCode = status;
            context.Response.ContentLength = length;
            context.Response.Headers.ETag = "\"1\"";
            await context.Response.WriteAsync(new string('a', length));
        });
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await SendAsync(app, isRepeat: i == 1);
            Assert.Equal((status, "true", "\"1\""), ((int)response.StatusCode, response.Header("X-Upload-Complete"), response.Header("ETag")));
            Assert.Empty(await response.Content.ReadAsByteArrayAsync());
            Assert.True(response.Content.Headers.ContentLength is null or 0);
        }

        Assert.Equal(1, runs);
    }

    private static Task<TestApp> StartAsync(RequestDelegate endpoint, Action<ResumableUploadOptions>? configure = null) =>
        EndpointApp.StartAsync(app => app.MapPost(Path, endpoint).WithResumableUploads(), configure);

    private static Task<HttpResponseMessage> SendAsync(TestApp app, bool isRepeat = false) =>
        app.Client.AppendAsync("f", isRepeat ? 3 : 0, new ByteArrayContent(isRepeat ? [] : "abc"u8.ToArray()), 3, Path);
}
