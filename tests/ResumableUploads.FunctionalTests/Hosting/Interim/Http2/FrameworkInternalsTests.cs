using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Hosting.Interim.Http2;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Interim.Http2;

/// <summary>
/// The undocumented behavior of Kestrel on which interim responses rely. If a new version of the framework fails one of these tests, see the table
/// in <c>src/ResumableUploads/Hosting/Interim/Http2/README.md</c> for the code to change.
/// </summary>
public class FrameworkInternalsTests
{
    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task IConnectionTransportFeature_returns_the_transport_of_the_response(HttpProtocols protocols)
    {
        PipeWriter? output = null;
        await using RecordedServer server = await RecordedServer.StartAsync(
            context =>
            {
                output = context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport.Output;
                return context.Response.WriteAsync("the response");
            },
            protocols);
        await SendAsync(server, protocols);

        Assert.Same(server.Output, output);
        Assert.Contains("the response", Encoding.Latin1.GetString([.. server.Output.Flushes.SelectMany(static flush => flush)]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http1_writes_100_Continue_on_first_read_and_nothing_until_final_response()
    {
        var written = new List<int>();
        RecordedServer? server = null;
        await using RecordedServer started = server = await RecordedServer.StartAsync(
            async context =>
            {
                written.Add(server!.Output.Flushes.Sum(static flush => flush.Length));
                byte[] buffer = new byte[1];
                while (await context.Request.Body.ReadAsync(buffer) > 0)
                {
                    written.Add(server.Output.Flushes.Sum(static flush => flush.Length));
                }

                written.Add(server.Output.Flushes.Sum(static flush => flush.Length));
            },
            HttpProtocols.Http1);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);
        await connection.SendHeadAsync("POST /", "Content-Length: 2", "Expect: 100-continue");
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await connection.SendAsync("xy");
        Assert.Equal(200, (await connection.ReadResponseAsync())?.Status);

        int length = "HTTP/1.1 100 Continue\r\n\r\n".Length;
        Assert.Equal([0, length, length, length], written);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ConnectionContext_Transport_can_be_replaced_before_HTTPS(bool tls)
    {
        Type? output = null;
        await using InterimTestServer server = await InterimTestServer.StartHttp2Async(
            context =>
            {
                output = context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport.Output.GetType();
                return Task.CompletedTask;
            },
            tls);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);
        await client.SendHeadersAsync(1, isWhole: true);
        await client.ReadStreamAsync(1);

        Assert.Equal(typeof(FrameInterleavingPipeWriter), output);
    }

    [Fact]
    public async Task Http2_request_has_IHttp2StreamIdFeature()
    {
        var ids = new List<int>();
        await using RecordedServer server = await RecordedServer.StartAsync(
            context =>
            {
                ids.Add(context.Features.GetRequiredFeature<IHttp2StreamIdFeature>().StreamId);
                return Task.CompletedTask;
            },
            HttpProtocols.Http2);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);
        foreach (int streamId in new[] { 1, 3 })
        {
            await client.SendHeadersAsync(streamId, isWhole: true);
            await client.ReadStreamAsync(streamId);
        }

        Assert.Equal([1, 3], ids);
    }

    [Fact]
    public async Task Http2_output_starts_with_SETTINGS_frame_whose_first_byte_is_0()
    {
        await using RecordedServer server = await RecordedServer.StartAsync(static _ => Task.CompletedTask, HttpProtocols.Http2);
        await SendAsync(server, HttpProtocols.Http2);

        byte[] first = server.Output.Flushes.First(static flush => flush.Length > 0);
        Assert.Equal((0, Http2Frame.Settings), (first[0], first[3]));
    }

    [Fact]
    public async Task Http2_flushes_only_complete_frames_and_header_blocks()
    {
        await using RecordedServer server = await RecordedServer.StartAsync(
            static async context =>
            {
                // More than one frame of headers, and several frames of data.
                context.Response.Headers["X-Large"] = Enumerable.Range(0, 4).Select(static i => new string((char)('a' + i), 6_000)).ToArray();
                for (int i = 0; i < 4; i++)
                {
                    await context.Response.Body.WriteAsync(new byte[15_000]);
                    await context.Response.Body.FlushAsync();
                }
            },
            HttpProtocols.Http2);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);
        await client.SendHeadersAsync(1, isWhole: true);
        List<string> frames = await client.ReadStreamAsync(1);
        Assert.Contains($"frame {Http2Frame.Continuation}", frames);

        var tracker = new OutgoingFrameTracker();
        Assert.All(server.Output.Flushes, flush =>
        {
            tracker.Process(flush);
            Assert.True(tracker.IsAtFrameBoundary, "Kestrel flushed a part of a frame or of a header block.");
        });
    }

    [Theory]
    [InlineData(200)]
    [InlineData(418)]
    public async Task Http2_100_Continue_is_a_literal_status_and_final_response_is_not(int status)
    {
        byte[] literal = [HpackLiteralEncoder.IndexedStatusName, 3, (byte)'1'];
        await using RecordedServer server = await RecordedServer.StartAsync(
            async context =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.StatusCode = status;
            },
            HttpProtocols.Http2);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);
        await client.SendHeadersAsync(1, headers: ("expect", "100-continue"));
        Assert.Equal(literal, (await client.ReadAsync()).Payload[..3]);
        await client.SendDataAsync(1, new byte[1], isLast: true);
        Assert.NotEqual(literal, (await client.ReadAsync()).Payload[..3]);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task IHttpResponseFeature_HasStarted_is_readable_on_another_thread(HttpProtocols protocols)
    {
        var started = new List<bool>();
        await using RecordedServer server = await RecordedServer.StartAsync(
            async context =>
            {
                IHttpResponseFeature response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
                started.Add(await Task.Run(() => response.HasStarted));
                await context.Response.StartAsync();
                started.Add(await Task.Run(() => response.HasStarted));
            },
            protocols);
        await SendAsync(server, protocols);

        Assert.Equal([false, true], started);
    }

    private static async Task SendAsync(RecordedServer server, HttpProtocols protocols)
    {
        if (protocols == HttpProtocols.Http2)
        {
            await using Http2Client client = await Http2Client.OpenAsync(server.Address);
            await client.SendHeadersAsync(1, isWhole: true);
            await client.ReadStreamAsync(1);
            return;
        }

        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);
        await connection.SendHeadAsync("GET /");
        Assert.Equal(200, (await connection.ReadResponseAsync())?.Status);
    }

    /// <summary>A server that records the output of its only connection.</summary>
    private sealed class RecordedServer(InterimTestServer server, Func<RecordingPipeWriter?> output) : IAsyncDisposable
    {
        public Uri Address => server.Address;

        public RecordingPipeWriter Output => output() ?? throw new InvalidOperationException("No connection was opened.");

        public static async Task<RecordedServer> StartAsync(RequestDelegate handler, HttpProtocols protocols)
        {
            RecordingPipeWriter? output = null;
            InterimTestServer server = await InterimTestServer.StartAsync(handler, protocols, endpoint => endpoint.Use(next => connection =>
            {
                output = new RecordingPipeWriter(connection.Transport.Output);
                connection.Transport = new DuplexPipe(connection.Transport.Input, output);
                return next(connection);
            }));
            return new RecordedServer(server, () => output);
        }

        public ValueTask DisposeAsync() => server.DisposeAsync();
    }

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
