using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Hosting.Interim.Http2;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Interim.Http2;

public class Http2InterimResponseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Announcement_and_progress_precede_final_response(bool tls)
    {
        await using InterimTestServer server = await InterimTestServer.StartHttp2Async(InterimUpload.HandleAsync, tls);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);
        for (int stream = 1; stream < 7; stream += 2)
        {
            await client.SendHeadersAsync(stream);
            Http2Frame announcement = await client.ReadAsync();
            Assert.Equal(new Http2Frame(Http2Frame.Headers, Http2Frame.EndHeaders, stream, announcement.Payload), announcement);
            Assert.Equal([(":status", "104"), ("location", "/upload/1")], announcement.Literals());
            for (int sent = 1; sent <= 3; sent++)
            {
                await client.SendDataAsync(stream, new byte[1], isLast: sent == 3);
                Assert.Equal([(":status", "104"), ("upload-offset", $"{sent}")], (await client.ReadAsync()).Literals());
            }

            Assert.Equal(["200"], await client.ReadStreamAsync(stream));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Continue_100_follows_announcement_and_precedes_progress(bool tls)
    {
        await using InterimTestServer server = await InterimTestServer.StartHttp2Async(InterimUpload.HandleAsync, tls);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1, headers: ("expect", "100-continue"));
        Assert.Equal("104", (await client.ReadAsync()).Status);
        Assert.Equal("100", (await client.ReadAsync()).Status);
        await client.SendDataAsync(1, new byte[1], isLast: true);

        Assert.Equal(["104", "200"], await client.ReadStreamAsync(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_after_final_response_is_dropped_even_without_drain(bool tls)
    {
        var posted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimTestServer server = await InterimTestServer.StartHttp2Async(
            async context =>
            {
                InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                await sender.SendAsync(InterimUpload.Announcement);
                (FrameInterleavingPipeWriter writer, int stream) = GetOutput(context);
                await context.Response.WriteAsync("done");
                await context.Response.Body.FlushAsync();
                await Eventually.TrueAsync(() => writer.OpenStreamCount == 0, "the final headers went out");

                // Bypasses the checks of the sender, like a send that started before the final response.
                await writer.SendAsync(stream, InterimUpload.Progress(1).ToHttp2Frame(stream));
                sender.TryStartSend(InterimUpload.Progress(2));
                await InterimUpload.WaitUntilIdleAsync(sender);
                posted.SetResult();
            },
            tls);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1, isWhole: true);

        Assert.Equal(["104", "200"], await client.ReadStreamAsync(1));
        await Eventually.WithinAsync(posted.Task);
        Assert.Empty(await client.PingAsync());
    }

    [Fact]
    public async Task Send_after_server_reset_is_dropped()
    {
        await using InterimTestServer server = await InterimTestServer.StartHttp2Async(
            static async context =>
            {
                InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                await sender.SendAsync(InterimUpload.Announcement);
                (FrameInterleavingPipeWriter writer, int stream) = GetOutput(context);
                context.Abort();
                await Eventually.TrueAsync(() => writer.OpenStreamCount == 0, "the reset went out");
                await writer.SendAsync(stream, InterimUpload.Progress(1).ToHttp2Frame(stream));
            },
            tls: false);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1);

        Assert.Equal(["104", "reset"], await client.ReadStreamAsync(1));
        Assert.Empty(await client.PingAsync());
    }

    [Fact]
    public async Task Send_after_client_reset_is_dropped_and_connection_stays_usable()
    {
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimTestServer server = await InterimTestServer.StartHttp2Async(
            async context =>
            {
                if (context.Request.Path == "/reset")
                {
                    InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                    await sender.SendAsync(InterimUpload.Announcement);
                    var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    context.RequestAborted.Register(aborted.SetResult);
                    await Eventually.WithinAsync(aborted.Task);
                    sender.TryStartSend(InterimUpload.Progress(1));
                    await sender.SendAsync(InterimUpload.Progress(2));
                    await sender.DrainAsync();
                    ended.SetResult(GetOutput(context).Writer.OpenStreamCount);
                }
                else
                {
                    await InterimUpload.HandleAsync(context);
                }
            },
            tls: false);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1, "/reset");
        Assert.Equal("104", (await client.ReadAsync()).Status);
        await client.ResetAsync(1);
        Assert.Equal(0, await Eventually.WithinAsync(ended.Task));
        await client.SendHeadersAsync(3, isWhole: true);

        Assert.Equal(["104", "200"], await client.ReadStreamAsync(3));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Listener_without_interim_responses_sends_only_final_response(bool tls)
    {
        await using InterimTestServer server = await InterimTestServer.StartAsync(InterimUpload.HandleAsync, HttpProtocols.Http2, tls ? InterimTestServer.UseTls : null);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1);
        await client.SendDataAsync(1, new byte[10], isLast: true);

        Assert.Equal(["200"], await client.ReadStreamAsync(1));
    }

    private static (FrameInterleavingPipeWriter Writer, int Stream) GetOutput(HttpContext context) =>
        ((FrameInterleavingPipeWriter)context.Features.Get<IConnectionTransportFeature>()!.Transport.Output, context.Features.Get<IHttp2StreamIdFeature>()!.StreamId);
}
