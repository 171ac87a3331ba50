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

public class Http2InterimTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_announcement_and_progress_come_before_the_final_answer(bool tls)
    {
        await using InterimServer server = await InterimServer.StartHttp2Async(Upload.TakeAsync, tls);
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
    public async Task The_100_of_the_server_comes_between_the_announcement_and_the_progress(bool tls)
    {
        await using InterimServer server = await InterimServer.StartHttp2Async(Upload.TakeAsync, tls);
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
    public async Task None_comes_after_the_final_answer_even_from_a_sender_that_was_never_drained(bool tls)
    {
        var posted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimServer server = await InterimServer.StartHttp2Async(
            async context =>
            {
                InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                await sender.SendAsync(Upload.Announcement);
                (FrameInterleavingPipeWriter writer, int stream) = Of(context);
                await context.Response.WriteAsync("done");
                await context.Response.Body.FlushAsync();
                await Eventually.TrueAsync(() => writer.OpenStreamCount == 0, "the final headers went out");

                // As if it had been begun before the answer: past every check of the sender.
                await writer.SendAsync(stream, Upload.Progress(1).ToHttp2Frame(stream));
                sender.TryStartSend(Upload.Progress(2));
                await Upload.IdleAsync(sender);
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
    public async Task None_comes_after_the_server_has_reset_the_stream()
    {
        await using InterimServer server = await InterimServer.StartHttp2Async(
            static async context =>
            {
                InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                await sender.SendAsync(Upload.Announcement);
                (FrameInterleavingPipeWriter writer, int stream) = Of(context);
                context.Abort();
                await Eventually.TrueAsync(() => writer.OpenStreamCount == 0, "the reset went out");
                await writer.SendAsync(stream, Upload.Progress(1).ToHttp2Frame(stream));
            },
            tls: false);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1);

        Assert.Equal(["104", "reset"], await client.ReadStreamAsync(1));
        Assert.Empty(await client.PingAsync());
    }

    [Fact]
    public async Task After_a_reset_by_the_client_nothing_is_sent_and_the_connection_goes_on()
    {
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimServer server = await InterimServer.StartHttp2Async(
            async context =>
            {
                if (context.Request.Path == "/reset")
                {
                    InterimResponseSender sender = InterimResponseSender.TryCreate(context)!;
                    await sender.SendAsync(Upload.Announcement);
                    var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    context.RequestAborted.Register(aborted.SetResult);
                    await Eventually.WithinAsync(aborted.Task);
                    sender.TryStartSend(Upload.Progress(1));
                    await sender.SendAsync(Upload.Progress(2));
                    await sender.DrainAsync();
                    ended.SetResult(Of(context).Writer.OpenStreamCount);
                }
                else
                {
                    await Upload.TakeAsync(context);
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
    public async Task Without_the_setup_of_the_endpoint_there_are_none_and_no_error(bool tls)
    {
        await using InterimServer server = await InterimServer.StartAsync(Upload.TakeAsync, HttpProtocols.Http2, tls ? InterimServer.UseTls : null);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1);
        await client.SendDataAsync(1, new byte[10], isLast: true);

        Assert.Equal(["200"], await client.ReadStreamAsync(1));
    }

    private static (FrameInterleavingPipeWriter Writer, int Stream) Of(HttpContext context) =>
        ((FrameInterleavingPipeWriter)context.Features.Get<IConnectionTransportFeature>()!.Transport.Output, context.Features.Get<IHttp2StreamIdFeature>()!.StreamId);
}
