using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

/// <summary>Chunks that are interrupted, and a client that resumes at the current offset.</summary>
public class InterruptedChunkTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 400_000).Select(static i => (byte)(i * 7))];

    [Theory]
    [InlineData(1, true, true)]
    [InlineData(2, true, false)]
    [InlineData(3, false, true)]
    [InlineData(4, false, false)]
    public async Task Response_after_interruptions_equals_that_of_plain_request(int seed, bool measured, bool reset)
    {
        await using TestApp app = await EchoApp.StartAsync(Server.Http1);
        var request = new ChunkableRequest("/stream/cut/1?x=1", Content, "video/mp4");
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        var random = new Random(seed);
        long held = 0;
        for (int i = 0; i < 8; i++)
        {
            int some = random.Next(1, 40_000);
            long before = held;
            await using RawConnection line = await RawConnection.OpenAsync(app.Address);
            await line.SendHeadAsync(
                "POST /stream/cut/1?x=1", "X-File-Id: f", $"X-Start-Byte: {held}", $"X-File-Size: {Content.Length}", "Content-Type: video/mp4",
                measured ? $"Content-Length: {Content.Length - held}" : "Transfer-Encoding: chunked");
            ReadOnlyMemory<byte> bytes = Content.AsMemory((int)held, some);
            await (measured ? line.SendAsync(bytes) : line.SendChunkAsync(bytes));

            // A status request would preempt the append before it has read the bytes that are still in transit.
            await Eventually.TrueAsync(() => StoredAsync(app, before + some), "the bytes before the cut are in the store");
            if (reset)
            {
                line.Reset();
            }
            else
            {
                line.Finish();
            }

            held = await app.Client.StatusAsync("f", "/stream/cut/1?x=1");
            Assert.Equal(before + some, held);
        }

        using HttpResponseMessage last = await request.SendChunkAsync(app.Client, "f", held, Content[(int)held..], Content.Length, ChunkFraming.ContentLength);
        Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(last, isOurs: true));
    }

    [Fact]
    public async Task Lost_end_of_last_chunk_is_completed_by_empty_chunk()
    {
        await using TestApp app = await EchoApp.StartAsync(Server.Http1);
        byte[] json = """{"name":"cut","lines":[1,2,3]}"""u8.ToArray();
        var request = new ChunkableRequest("/json", json, "application/json");
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        await using (RawConnection line = await RawConnection.OpenAsync(app.Address))
        {
            await line.SendHeadAsync("POST /json", "X-File-Id: f", "X-Start-Byte: 0", "Content-Type: application/json", "Transfer-Encoding: chunked");
            await line.SendChunkAsync(json);
            await Eventually.TrueAsync(() => StoredAsync(app, json.Length), "all bytes are in the store");
            line.Reset();
        }

        Assert.Equal(json.Length, await app.Client.StatusAsync("f", "/json"));
        using HttpResponseMessage last = await request.RepeatLastRequestAsync(app.Client);
        Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(last, isOurs: true));
    }

    /// <summary>Reads the files of the store, because a status request would preempt the append.</summary>
    private static Task<bool> StoredAsync(TestApp app, long bytes) => Task.FromResult(
        app.StoredFiles
            .Select(static path => new FileInfo(path)).Any(file => file.Exists && file.Length == bytes));
}
