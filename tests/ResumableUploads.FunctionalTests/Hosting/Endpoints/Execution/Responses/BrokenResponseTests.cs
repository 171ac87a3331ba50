using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution.Responses;

/// <summary>A response that the server would not complete in a plain request is not final.</summary>
public class BrokenResponseTests
{
    private const string Path = "/e";

    [Theory]
    [InlineData(0, 5)]
    [InlineData(10, 20)]
    [InlineData(20, 10)]
    [InlineData(100_000, 200_000)]
    [InlineData(200_000, 100_000)]
    public async Task Body_that_differs_from_its_Content_Length_is_not_final(int written, int declared)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(Server.Http1, async context =>
        {
            context.Response.ContentLength = ++runs == 1 ? declared : written;
            for (int rest = written; rest > 0; rest -= 10_000)
            {
                await context.Response.WriteAsync(new string('a', Math.Min(rest, 10_000)));
            }
        });
        int first = await TrySendAsync(app, isFirst: true);

        // A client that has received as many bytes as were declared cannot see that the endpoint then failed.
        Assert.True(first != 200 || declared == 100_000);
        (int status, int attempts) = await RepeatAsync(app);
        Assert.Equal((200, 2), (status, runs));
        Assert.True(attempts > 0);
    }

    [Fact]
    public async Task Not_Modified_with_Content_Length_needs_no_body()
    {
        await using TestApp app = await StartAsync(Server.Http1, static context =>
        {
            context.Response.StatusCode = 304;
            context.Response.ContentLength = 10;
            return Task.CompletedTask;
        });
        Assert.Equal(304, await TrySendAsync(app, isFirst: true));
    }

    [Fact]
    public async Task Endpoint_that_resets_its_http2_stream_runs_again()
    {
        int runs = 0;
        bool isCanceled = false;
        await using TestApp app = await StartAsync(Server.Http2, context =>
        {
            if (++runs == 1)
            {
                context.Features.Get<IHttpResetFeature>()!.Reset(errorCode: 8);
                isCanceled = context.RequestAborted.IsCancellationRequested;
            }

            return context.Response.WriteAsync("done");
        });
        Assert.NotEqual(200, await TrySendAsync(app, isFirst: true));
        (int status, _) = await RepeatAsync(app);
        Assert.Equal((200, 2, true), (status, runs, isCanceled));
    }

    /// <summary>The last part of a concatenation runs the endpoint for the final upload. The client of the part gets its own response.</summary>
    [Theory]
    [InlineData(Server.Http1)]
    [InlineData(Server.Http2)]
    public async Task Abort_in_a_run_for_another_upload_does_not_affect_the_request(Server server)
    {
        int runs = 0;
        bool supportsTrailers = false;
        await using TestApp app = await StartAsync(server, context =>
        {
            runs++;
            supportsTrailers |= context.Response.SupportsTrailers();
            if (context.Features.Get<IHttpResetFeature>() is { } reset)
            {
                reset.Reset(errorCode: 8);
            }
            else
            {
                context.Abort();
            }

            return Task.CompletedTask;
        });
        string part = await app.Client.CreateAsync(Path, 3, ("Upload-Concat", "partial"));
        using HttpResponseMessage final = await app.Client.TusAsync("POST", Path, null, ("Upload-Concat", $"final;{part}"));
        Assert.Equal(201, (int)final.StatusCode);
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(part, 0, "abc"u8.ToArray());
        Assert.Equal((204, 1, false), ((int)last.StatusCode, runs, supportsTrailers));
    }

    private static Task<TestApp> StartAsync(Server server, RequestDelegate endpoint) =>
        server.StartAsync(app => app.MapPost(Path, endpoint).WithResumableUploads());

    /// <summary>Repeats the request until it succeeds: it can join the failed run while that is ending.</summary>
    private static async Task<(int Status, int Attempts)> RepeatAsync(TestApp app)
    {
        int status = 0;
        int attempts = 0;
        while (status != (int)HttpStatusCode.OK && attempts < 100)
        {
            attempts++;
            status = await TrySendAsync(app, isFirst: false);
        }

        return (status, attempts);
    }

    /// <summary>Returns the status of the response, or 0 if it is broken.</summary>
    private static async Task<int> TrySendAsync(TestApp app, bool isFirst)
    {
        try
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", isFirst ? 0 : 3, new ByteArrayContent(isFirst ? "abc"u8.ToArray() : []), 3, Path);
            return (int)response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }
}
