using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.TestHost;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

public class Http1InterimResponseTests
{
    /// <summary>With and without TLS, and with and without <c>UseResumableUploadInterimResponses</c>.</summary>
    public static MatrixTheoryData<bool, bool> Endpoints => new([false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Announcement_and_progress_precede_final_response(bool tls, bool extended)
    {
        await using InterimTestServer server = await StartAsync(tls, extended);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);
        for (int request = 0; request < 2; request++)
        {
            await connection.SendHeadAsync("POST /", "Content-Length: 3");
            RawResponse? announcement = await connection.ReadResponseAsync();
            Assert.Equal((104, "/upload/1"), (announcement!.Status, announcement.Header("Location")));
            for (int sent = 1; sent <= 3; sent++)
            {
                await connection.SendAsync("x");
                RawResponse? progress = await connection.ReadResponseAsync();
                Assert.Equal((104, $"{sent}"), (progress!.Status, progress.Header("Upload-Offset")));
            }

            RawResponse? final = await connection.ReadResponseAsync();
            Assert.Equal((200, "done"), (final!.Status, final.Body));
        }
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Continue_100_follows_announcement_and_precedes_progress(bool tls, bool extended)
    {
        await using InterimTestServer server = await StartAsync(tls, extended);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("POST /", "Content-Length: 1", "Expect: 100-continue");
        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(100, (await connection.ReadResponseAsync())!.Status);
        await connection.SendAsync("x");
        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
    }

    [Fact]
    public async Task TryCreate_for_HTTP_1_0_returns_null()
    {
        await using InterimTestServer server = await StartAsync(tls: false, extended: false);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendAsync("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");

        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal((200, "none"), (response!.Status, response.Body));
    }

    [Fact]
    public async Task Send_after_drain_is_dropped()
    {
        await using InterimTestServer server = await InterimTestServer.StartAsync(
            static async context =>
            {
                InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                await sender.SendAsync(InterimUpload.Announcement);
                await sender.DrainAsync();
                sender.TryStartSend(InterimUpload.Progress(1));
                await sender.SendAsync(InterimUpload.Announcement);
                await context.Response.WriteAsync("done");
                await context.Response.Body.FlushAsync();
                sender.TryStartSend(InterimUpload.Progress(2));
            },
            HttpProtocols.Http1);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("GET /");
        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal("done", await connection.ReadChunkedBodyAsync());
    }

    [Fact]
    public async Task TryCreate_after_response_has_started_returns_null()
    {
        await using InterimTestServer server = await InterimTestServer.StartAsync(
            static async context =>
            {
                await context.Response.StartAsync();
                await context.Response.WriteAsync(InterimResponseSender.TryCreate(context) is null ? "none" : "one");
            },
            HttpProtocols.Http1);
        using var client = new HttpClient();

        Assert.Equal("none", await client.GetStringAsync(server.Address));
    }

    [Fact]
    public async Task Send_after_client_disconnected_does_not_throw()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimTestServer server = await InterimTestServer.StartAsync(
            async context =>
            {
                try
                {
                    InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                    await sender.SendAsync(InterimUpload.Announcement);
                    context.Abort();
                    for (int i = 0; i < 100; i++)
                    {
                        sender.TryStartSend(InterimUpload.Progress(i));
                        await sender.SendAsync(InterimUpload.Announcement);
                    }

                    await sender.DrainAsync();
                    ended.SetResult();
                }
                catch (Exception e)
                {
                    ended.SetException(e);
                    throw;
                }
            },
            HttpProtocols.Http1);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("POST /", "Content-Length: 3");

        await Eventually.WithinAsync(ended.Task);
    }

    [Fact]
    public async Task TryCreate_on_TestServer_returns_null()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        await using WebApplication app = builder.Build();
        app.Run(static context => context.Response.WriteAsync(InterimResponseSender.TryCreate(context) is null ? "none" : "one"));
        await app.StartAsync();

        Assert.Equal("none", await app.GetTestClient().GetStringAsync("/"));
    }

    private static Task<InterimTestServer> StartAsync(bool tls, bool extended) => InterimTestServer.StartAsync(
        InterimUpload.HandleAsync,
        HttpProtocols.Http1,
        endpoint =>
        {
            if (extended)
            {
                endpoint.UseResumableUploadInterimResponses();
            }

            if (tls)
            {
                InterimTestServer.UseTls(endpoint);
            }
        });
}
