using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.TestHost;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

public class Http1InterimTests
{
    /// <summary>With and without TLS, and on an endpoint that is set up for HTTP/2 or is not.</summary>
    public static MatrixTheoryData<bool, bool> Endpoints => new([false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task An_announcement_and_progress_come_before_the_final_answer(bool tls, bool extended)
    {
        await using InterimServer server = await StartAsync(tls, extended);
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
    public async Task The_100_of_the_server_comes_after_the_announcement_and_before_the_progress(bool tls, bool extended)
    {
        await using InterimServer server = await StartAsync(tls, extended);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("POST /", "Content-Length: 1", "Expect: 100-continue");
        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(100, (await connection.ReadResponseAsync())!.Status);
        await connection.SendAsync("x");
        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
    }

    [Fact]
    public async Task R112_A_client_of_HTTP_1_0_gets_none()
    {
        await using InterimServer server = await StartAsync(tls: false, extended: false);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendAsync("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");

        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal((200, "none"), (response!.Status, response.Body));
    }

    [Fact]
    public async Task What_is_posted_after_the_end_is_not_sent()
    {
        await using InterimServer server = await InterimServer.StartAsync(
            static async context =>
            {
                InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                await sender.SendAsync(Upload.Announcement);
                await sender.DrainAsync();
                sender.TryStartSend(Upload.Progress(1));
                await sender.SendAsync(Upload.Announcement);
                await context.Response.WriteAsync("done");
                await context.Response.Body.FlushAsync();
                sender.TryStartSend(Upload.Progress(2));
            },
            HttpProtocols.Http1);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("GET /");
        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal("done", await connection.ReadChunkedBodyAsync());
    }

    [Fact]
    public async Task An_answer_that_has_begun_has_no_sender()
    {
        await using InterimServer server = await InterimServer.StartAsync(
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
    public async Task A_client_that_left_is_no_error()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimServer server = await InterimServer.StartAsync(
            async context =>
            {
                try
                {
                    InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                    await sender.SendAsync(Upload.Announcement);
                    context.Abort();
                    for (int i = 0; i < 100; i++)
                    {
                        sender.TryStartSend(Upload.Progress(i));
                        await sender.SendAsync(Upload.Announcement);
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
    public async Task TestHost_has_no_sender()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        await using WebApplication app = builder.Build();
        app.Run(static context => context.Response.WriteAsync(InterimResponseSender.TryCreate(context) is null ? "none" : "one"));
        await app.StartAsync();

        Assert.Equal("none", await app.GetTestClient().GetStringAsync("/"));
    }

    private static Task<InterimServer> StartAsync(bool tls, bool extended) => InterimServer.StartAsync(
        Upload.TakeAsync,
        HttpProtocols.Http1,
        endpoint =>
        {
            if (extended)
            {
                endpoint.UseResumableUploadInterimResponses();
            }

            if (tls)
            {
                InterimServer.UseTls(endpoint);
            }
        });
}
