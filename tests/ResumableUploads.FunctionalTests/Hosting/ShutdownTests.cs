using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting;

public sealed class ShutdownTests : IDisposable
{
    private const int Piece = 100_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("uploads-shutdown-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_append_that_runs_is_told_and_kept_and_the_next_server_goes_on(bool isChunked)
    {
        await using (TestApp app = await TestApp.StartAsync(directory: _directory))
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {2 * Piece}", isChunked ? "Transfer-Encoding: chunked" : $"Content-Length: {2 * Piece}");
            await (isChunked ? connection.SendChunkAsync(new byte[Piece]) : connection.SendAsync(new byte[Piece]));
            await Eventually.TrueAsync(() => StoredBytes() == Piece, "the piece was stored");

            long began = TimeProvider.System.GetTimestamp();
            Task stop = app.Services.GetRequiredService<IHost>().StopAsync();
            RawResponse answer = (await connection.ReadResponseAsync())!;
            using JsonDocument problem = JsonDocument.Parse(answer.Body);
            Assert.Equal((503, $"{Piece}"), (answer.Status, answer.Header("X-Start-Byte")));
            Assert.NotNull(answer.Header("Retry-After"));
            Assert.Equal("urn:resumable-uploads:shutting-down", problem.RootElement.GetProperty("type").GetString());

            // The sender stays silent, and holds nothing up (the host would wait 30 s).
            await Eventually.WithinAsync(stop);
            Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        }

        await using TestApp next = await TestApp.StartAsync(directory: _directory);
        Assert.Equal(Piece, await next.Client.StatusAsync("f"));
        using HttpResponseMessage last = await next.Client.AppendAsync("f", Piece, new byte[Piece], 2 * Piece);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        Assert.Equal(2 * Piece, Assert.Single(next.Finished).Content.Length);
    }

    [Fact]
    public async Task An_append_over_http2_is_told_and_kept()
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await TestApp.StartAsync(directory: _directory, protocols: HttpProtocols.Http2);
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        Task<HttpResponseMessage> sent = app.Client.AppendAsync("f", 0, new StalledContent(over.Task), 2 * Piece);
        await Eventually.TrueAsync(() => StoredBytes() == Piece, "the piece was stored");
        Task stop = app.Services.GetRequiredService<IHost>().StopAsync();
        using HttpResponseMessage answer = await Eventually.WithinAsync(sent);
        over.SetResult();
        await Eventually.WithinAsync(stop);

        Assert.Equal((503, $"{Piece}"), ((int)answer.StatusCode, answer.Header("X-Start-Byte")));
        Assert.NotNull(answer.Header("Retry-After"));
    }

    [Fact]
    public async Task A_handler_that_runs_is_asked_to_stop_and_runs_again_in_the_next_server()
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
            Task<HttpResponseMessage> sent = app.Client.AppendAsync("f", 0, new byte[Piece], Piece);
            await Eventually.WithinAsync(started.Task);
            await Eventually.WithinAsync(app.Services.GetRequiredService<IHost>().StopAsync());
            using HttpResponseMessage answer = await sent;
            Assert.Equal(503, (int)answer.StatusCode);
            Assert.NotNull(answer.Header("Retry-After"));
        }

        await using TestApp next = await TestApp.StartAsync(directory: _directory);
        using HttpResponseMessage again = await next.Client.AppendAsync("f", Piece, [], Piece);
        Assert.Equal((200, "true"), ((int)again.StatusCode, again.Header("X-Upload-Complete")));

        // It was started before, and may have done something: that it was the server's fault does not change it.
        Assert.True(Assert.Single(next.Finished).Upload.IsRepeat);
    }

    /// <summary>Sends one piece, and then nothing until the test is over.</summary>
    private sealed class StalledContent(Task over) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[Piece]);
            await stream.FlushAsync();
            await over;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 2 * Piece;
            return true;
        }
    }

    /// <summary>What is in its place: an upload that is being made is moved there.</summary>
    private long StoredBytes()
    {
        string uploads = Path.Combine(_directory, "uploads");
        return Directory.Exists(uploads)
            ? Directory.GetFiles(uploads, "*.data", SearchOption.AllDirectories).Sum(static path => new FileInfo(path).Length)
            : 0;
    }
}
