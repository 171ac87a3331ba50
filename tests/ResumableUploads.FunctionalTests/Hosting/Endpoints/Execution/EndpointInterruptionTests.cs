using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>The client disconnects, or the server stops, while the endpoint of an upload runs.</summary>
public class EndpointInterruptionTests
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(60_000);

    [Theory]
    [InlineData(Cut.Reset)]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.ResetStream)]
    public async Task Lost_response_is_replayed_to_next_request(Cut cut)
    {
        var gate = new EndpointCompletionGate();
        await using TestApp app = await StartAsync(gate, cut);
        await CutWhileItRunsAsync(app, gate, cut);
        gate.Release();
        await gate.OverAsync();

        EndpointResponse answer = await AskAsync(app);
        AssertIsOfRunOne(answer);
        Assert.Equal(answer, await AskAsync(app));
        Assert.Equal(1, gate.Runs);
    }

    [Theory]
    [InlineData(Cut.Reset)]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.ResetStream)]
    public async Task Request_during_endpoint_run_waits_and_starts_no_other_run(Cut cut)
    {
        var gate = new EndpointCompletionGate();
        await using TestApp app = await StartAsync(gate, cut);
        await CutWhileItRunsAsync(app, gate, cut);

        Task<EndpointResponse>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => AskAsync(app))];
        Assert.Equal(Content.Length, await app.Client.StatusAsync("f", EndpointCompletionGate.Path));
        Assert.DoesNotContain(waiting, static task => task.IsCompleted);
        Assert.False(gate.Aborted.IsCancellationRequested);
        gate.Release();

        EndpointResponse[] responses = await Task.WhenAll(waiting);
        Assert.All(responses, AssertIsOfRunOne);
        Assert.Single(responses.Distinct());
        Assert.Equal(1, gate.Runs);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Shutdown_cancels_endpoint_and_next_server_runs_it_again(bool hasExceptionHandler)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("endpoint-stop-");
        try
        {
            var gate = new EndpointCompletionGate();
            await using (TestApp app = await StartAsync(directory.FullName, gate, hasExceptionHandler))
            {
                Task<HttpResponseMessage> sent = SendAsync(app);
                await gate.EnteredAsync();
                await app.Services.GetRequiredService<IHost>().StopAsync().WaitAsync(TimeSpan.FromMinutes(2));
                using HttpResponseMessage response = await sent;
                Assert.True(gate.Aborted.IsCancellationRequested);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
                Assert.NotNull(response.Headers.RetryAfter);
                Assert.Contains("urn:resumable-uploads:handler-failed", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            var again = new EndpointCompletionGate();
            again.Release();
            await using TestApp next = await StartAsync(directory.FullName, again, hasExceptionHandler);
            Assert.Equal(Content.Length, await next.Client.StatusAsync("f", EndpointCompletionGate.Path));
            AssertIsOfRunOne(await AskAsync(next));
            Assert.True(again.IsRepeat);
            Assert.Equal((1, 1), (gate.Runs, again.Runs));
        }
        finally
        {
            await TemporaryDirectory.DeleteAsync(directory.FullName);
        }
    }

    /// <summary>A run that a shutdown canceled does not count as an attempt.</summary>
    private static Task<TestApp> StartAsync(string directory, EndpointCompletionGate gate, bool hasExceptionHandler) => TestApp.StartAsync(
        services: builder => builder.Services.AddResumableUploads(options =>
        {
            options.Directory = directory;
            options.FileSystem.Durability = Durability.ProcessCrash;
            options.Handler.MaxAttempts = 1;
        }),
        after: app =>
        {
            if (hasExceptionHandler)
            {
                app.UseRouting();
                app.UseResumableUploadEndpoints();
                app.UseExceptionHandler(static failed => failed.Run(static _ => Task.CompletedTask));
            }

            gate.Map(app);
        },
        useUploads: false,
        directory: directory);

    private static async Task<TestApp> StartAsync(EndpointCompletionGate gate, Cut cut)
    {
        bool isHttp2 = cut == Cut.ResetStream;
        TestApp app = await EndpointApp.StartAsync(gate.Map, protocols: isHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        app.Client.DefaultRequestVersion = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return app;
    }

    private static async Task CutWhileItRunsAsync(TestApp app, EndpointCompletionGate gate, Cut cut)
    {
        if (cut == Cut.ResetStream)
        {
            Task<HttpResponseMessage> sent = SendAsync(app);
            await gate.EnteredAsync();
            app.Client.CancelPendingRequests();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
            await gate.Departure!.HasLeft;
        }
        else
        {
            await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
            await connection.SendHeadAsync(
                $"POST {EndpointCompletionGate.Path}", "X-File-Id: f", $"X-File-Size: {Content.Length}", $"Content-Length: {Content.Length}");
            await connection.SendAsync(Content);
            await gate.EnteredAsync();
            if (cut == Cut.Reset)
            {
                connection.Reset();
            }
            else
            {
                connection.Finish();
            }

            await gate.Departure!.HasLeft;
        }

        Assert.False(gate.Aborted.IsCancellationRequested);
    }

    private static Task<HttpResponseMessage> SendAsync(TestApp app) =>
        app.Client.AppendAsync("f", 0, new ByteArrayContent(Content), Content.Length, EndpointCompletionGate.Path);

    private static async Task<EndpointResponse> AskAsync(TestApp app)
    {
        using HttpResponseMessage response = await app.Client.AppendAsync("f", Content.Length, new ByteArrayContent([]), Content.Length, EndpointCompletionGate.Path);
        return await EndpointResponse.OfAsync(response);
    }

    private static void AssertIsOfRunOne(EndpointResponse answer)
    {
        string hash = Convert.ToHexString(SHA256.HashData(Content));
        Assert.Equal((201, "true", $"\"{hash}\"", $"{EndpointCompletionGate.Path}/1"), (answer.Status, answer.IsComplete, answer.ETag, answer.Location));
        using JsonDocument body = JsonDocument.Parse(answer.Body);
        Assert.Equal((1, hash), (body.RootElement.GetProperty("run").GetInt32(), body.RootElement.GetProperty("hash").GetString()));
    }
}
