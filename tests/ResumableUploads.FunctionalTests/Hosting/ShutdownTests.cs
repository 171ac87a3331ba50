using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting;

public sealed class ShutdownTests : IAsyncLifetime
{
    private const int Chunk = 100_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("uploads-shutdown-").FullName;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync() => await TemporaryDirectory.DeleteAsync(_directory);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Running_append_receives_503_at_shutdown_and_resumes_after_restart(bool isChunked)
    {
        // An idle connection does not delay the shutdown, for which this host would wait longer than the test.
        await using (TestApp app = await TestApp.StartAsync(
            services: static builder => builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMinutes(30)), directory: _directory))
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {2 * Chunk}", isChunked ? "Transfer-Encoding: chunked" : $"Content-Length: {2 * Chunk}");
            await (isChunked ? connection.SendChunkAsync(new byte[Chunk]) : connection.SendAsync(new byte[Chunk]));
            await Eventually.TrueAsync(() => StoredBytes() == Chunk, "the chunk was stored");

            Task stop = app.Services.GetRequiredService<IHost>().StopAsync();
            RawResponse response = (await connection.ReadResponseAsync())!;
            using JsonDocument problem = JsonDocument.Parse(response.Body);
            Assert.Equal((503, $"{Chunk}"), (response.Status, response.Header("X-Start-Byte")));
            Assert.NotNull(response.Header("Retry-After"));
            Assert.Equal("urn:resumable-uploads:shutting-down", problem.RootElement.GetProperty("type").GetString());

            await Eventually.WithinAsync(stop);
        }

        await using TestApp next = await TestApp.StartAsync(directory: _directory);
        Assert.Equal(Chunk, await next.Client.StatusAsync("f"));
        using HttpResponseMessage last = await next.Client.AppendAsync("f", Chunk, new byte[Chunk], 2 * Chunk);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        Assert.Equal(2 * Chunk, Assert.Single(next.Finished).Content.Length);
    }

    [Fact]
    public async Task Running_Http2_append_receives_503_at_shutdown_and_is_kept()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await TestApp.StartAsync(directory: _directory, protocols: HttpProtocols.Http2);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/upload") { Content = new StalledContent(release.Task), Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("X-File-Id", "f");
        request.Headers.Add("X-Start-Byte", "0");
        request.Headers.Add("X-File-Size", $"{2 * Chunk}");

        // The client may discard the content of a response that ended before the request if the server then closes the connection.
        Task<HttpResponseMessage> sent = app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await Eventually.TrueAsync(() => StoredBytes() == Chunk, "the chunk was stored");
        Task stop = app.Services.GetRequiredService<IHost>().StopAsync();
        using HttpResponseMessage response = await Eventually.WithinAsync(sent);
        release.SetResult();
        await Eventually.WithinAsync(stop);

        Assert.Equal((503, $"{Chunk}"), ((int)response.StatusCode, response.Header("X-Start-Byte")));
        Assert.NotNull(response.Header("Retry-After"));
    }

    [Fact]
    public async Task Running_handler_is_canceled_at_shutdown_and_runs_again_after_restart()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (TestApp app = await TestApp.StartAsync(
            options => options.OnCompleted = async (_, cancellationToken) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            },
            directory: _directory))
        {
            Task<HttpResponseMessage> sent = app.Client.AppendAsync("f", 0, new byte[Chunk], Chunk);
            await Eventually.WithinAsync(started.Task);
            await Eventually.WithinAsync(app.Services.GetRequiredService<IHost>().StopAsync());
            using HttpResponseMessage response = await sent;
            Assert.Equal(503, (int)response.StatusCode);
            Assert.NotNull(response.Header("Retry-After"));
        }

        await using TestApp next = await TestApp.StartAsync(directory: _directory);
        using HttpResponseMessage again = await next.Client.AppendAsync("f", Chunk, [], Chunk);
        Assert.Equal((200, "true"), ((int)again.StatusCode, again.Header("X-Upload-Complete")));

        // The first run may have had side effects, so the second run is a repeat.
        Assert.True(Assert.Single(next.Finished).Upload.IsRepeat);
    }

    /// <summary>Sends one chunk, and then stalls until a task completes.</summary>
    private sealed class StalledContent(Task release) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[Chunk]);
            await stream.FlushAsync();
            await release;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 2 * Chunk;
            return true;
        }
    }

    /// <summary>Returns the length of all data files. The files of an upload that is being created are not in this directory yet.</summary>
    private long StoredBytes()
    {
        string uploads = Path.Combine(_directory, "uploads");
        return Directory.Exists(uploads)
            ? Directory.GetFiles(uploads, "*.data", SearchOption.AllDirectories).Sum(static path => new FileInfo(path).Length)
            : 0;
    }
}
