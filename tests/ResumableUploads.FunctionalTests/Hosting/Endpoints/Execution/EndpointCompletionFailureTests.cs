using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Metrics;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>What the client and the app see when the endpoint of a complete upload fails.</summary>
public class EndpointCompletionFailureTests
{
    private const string Path = "/failing";
    private const int Attempts = 3;
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(5_000);

    private readonly List<(int Attempt, bool IsRepeat)> _runs = [];
    private readonly List<byte[]> _deadLettered = [];

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(407)]
    [InlineData(408)]
    [InlineData(423)]
    [InlineData(425)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(511)]
    public async Task Retryable_status_runs_again_until_dead_lettered(int status)
    {
        await using TestApp app = await StartAsync(static _ => true, status);
        using var metrics = new MetricLog(app.Services.GetRequiredService<IMeterFactory>());
        for (int i = 1; i <= Attempts; i++)
        {
            Assert.Empty(_deadLettered);
            using HttpResponseMessage response = await SendAsync(app, isFirst: i == 1);
            Assert.Equal((status, $"later {i}", "false"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Header("X-Upload-Complete")));
            Assert.Equal(("7", $"\"{i}\""), (response.Header("Retry-After"), response.Header("ETag")));
            Assert.Equal(Content.Length, await app.Client.StatusAsync("f", Path));
        }

        await AssertIsDeadLetteredAsync(app, metrics);
    }

    [Fact]
    public async Task Endpoint_that_throws_returns_503_until_dead_lettered()
    {
        await using TestApp app = await StartAsync(static _ => true, status: null);
        using var metrics = new MetricLog(app.Services.GetRequiredService<IMeterFactory>());
        for (int i = 1; i <= Attempts; i++)
        {
            Assert.Empty(_deadLettered);
            using HttpResponseMessage response = await SendAsync(app, isFirst: i == 1);
            Assert.Equal("10", response.Header("Retry-After"));
            Assert.DoesNotContain("not today", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            await response.ShouldBeProblemAsync(503, Own + "handler-failed", Content.Length);
            Assert.Contains(app.Log.Lines, line => line.Contains($"(attempt {i} of {Attempts})", StringComparison.Ordinal) && line.Contains("not today", StringComparison.Ordinal));
        }

        await AssertIsDeadLetteredAsync(app, metrics);
    }

    [Fact]
    public async Task Streamed_response_that_fails_counts_as_an_attempt()
    {
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost(Path, async (HttpContext context) =>
            {
                runs++;
                await context.Response.WriteAsync(new string('a', 200_000));
                throw new InvalidOperationException("in the middle");
            }).WithResumableUploads(),
            static options => options.Handler.MaxAttempts = 1);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(app, isFirst: true));
        await Eventually.TrueAsync(
            async () =>
            {
                // A request that joins the failing run gets 503.
                using HttpResponseMessage response = await SendAsync(app, isFirst: false);
                return (int)response.StatusCode == 500;
            },
            "the upload is dead-lettered");
        Assert.Equal(1, runs);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(429)]
    [InlineData(null)]
    public async Task Success_after_failure_is_stored_and_final(int? status)
    {
        await using TestApp app = await StartAsync(static attempt => attempt < Attempts, status);
        for (int i = 1; i < Attempts; i++)
        {
            using HttpResponseMessage failed = await SendAsync(app, isFirst: i == 1);
            Assert.Equal(status ?? 503, (int)failed.StatusCode);
        }

        EndpointResponse answer = await AskAsync(app);
        Assert.Equal((201, "true", $"/failing/{Attempts}", $"\"{Attempts}\""), (answer.Status, answer.IsComplete, answer.Location, answer.ETag));
        Assert.Equal(answer, await AskAsync(app));
        Assert.Equal([(1, false), (2, true), (3, true)], _runs);
        Assert.Empty(_deadLettered);
    }

    [Fact]
    public async Task Endpoint_that_aborts_connection_runs_again()
    {
        var attempts = new List<int>();
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost(Path, (HttpContext context) =>
        {
            attempts.Add(context.Features.Get<IResumableUploadFeature>()!.Attempt);
            if (attempts.Count == 1)
            {
                context.Abort();
            }

            return Results.Created("/failing/1", attempts.Count);
        }).WithResumableUploads());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => SendAsync(app, isFirst: true));

        // The connection closes before the run ends. A request in between reports that the run failed.
        EndpointResponse answer = await AskAsync(app);
        answer = answer.Status == 503 ? await AskAsync(app) : answer;
        Assert.Equal((201, "2", "true"), (answer.Status, answer.Body, answer.IsComplete));
        Assert.Equal([1, 2], attempts);
    }

    [Theory]
    [InlineData(303)]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(422)]
    public async Task Final_error_status_is_stored_and_replayed(int status)
    {
        await using TestApp app = await StartAsync(static _ => true, status);
        using HttpResponseMessage response = await SendAsync(app, isFirst: true);
        EndpointResponse first = await EndpointResponse.OfAsync(response);
        Assert.Equal((status, "later 1", "true", "\"1\""), (first.Status, first.Body, first.IsComplete, first.ETag));
        for (int i = 0; i < Attempts; i++)
        {
            Assert.Equal(first, await AskAsync(app));
        }

        Assert.Equal([(1, false)], _runs);
        Assert.Empty(_deadLettered);
    }

    private Task<TestApp> StartAsync(Func<int, bool> fails, int? status) => EndpointApp.StartAsync(
        app => app.MapPost(Path, async (HttpContext context, Stream body) =>
        {
            IResumableUploadFeature upload = context.Features.Get<IResumableUploadFeature>()!;
            _runs.Add((upload.Attempt, upload.IsRepeat));
            using var content = new MemoryStream();
            await body.CopyToAsync(content);
            Assert.Equal(Content, content.ToArray());
            context.Response.Headers.ETag = $"\"{upload.Attempt}\"";
            if (!fails(upload.Attempt))
            {
                return Results.Created($"/failing/{upload.Attempt}", upload.Attempt);
            }

            context.Response.Headers.RetryAfter = "7";
            return Results.Text($"later {upload.Attempt}", statusCode: status ?? throw new InvalidOperationException("not today"));
        }).WithResumableUploads(options => options.OnDeadLettered = async (upload, cancellationToken) =>
        {
            await using Stream stream = await upload.OpenReadAsync(cancellationToken);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content, cancellationToken);
            _deadLettered.Add(content.ToArray());
        }),
        options => (options.Handler.MaxAttempts, options.Handler.RetryDelay, options.Store) = (Attempts, TimeSpan.Zero, new UnsweptStore()),
        onTestHost: true);

    private async Task AssertIsDeadLetteredAsync(TestApp app, MetricLog metrics)
    {
        Assert.Equal([(1, false), (2, true), (3, true)], _runs);
        for (int i = 0; i < 2; i++)
        {
            await SendAsync(app, isFirst: false).ShouldBeProblemAsync(500, Own + "parked", Content.Length);
        }

        Assert.Equal(Attempts, _runs.Count);
        Assert.Equal(Content, Assert.Single(_deadLettered));
        Assert.Equal(1, metrics.Sum("resumable_uploads.upload.dead_lettered"));
        Assert.Single(app.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains($"dead-lettered after {Attempts} attempts", StringComparison.Ordinal));
        Assert.Equal(Content.Length, await app.Client.StatusAsync("f", Path));
    }

    private static Task<HttpResponseMessage> SendAsync(TestApp app, bool isFirst) =>
        app.Client.AppendAsync("f", isFirst ? 0 : Content.Length, new ByteArrayContent(isFirst ? Content : []), Content.Length, Path);

    private static async Task<EndpointResponse> AskAsync(TestApp app)
    {
        using HttpResponseMessage response = await SendAsync(app, isFirst: false);
        return await EndpointResponse.OfAsync(response);
    }
}
