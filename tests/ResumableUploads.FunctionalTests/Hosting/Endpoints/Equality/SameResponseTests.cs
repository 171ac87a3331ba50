using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

/// <summary>An upload in chunks of random size gets the same response, byte for byte, as a plain request.</summary>
public class SameResponseTests
{
    private const string Boundary = "----cut-me";

    private static readonly int[] Counts = [1, 2, 50];

    /// <summary>The requests, each on every server and in several ways of chunking.</summary>
    public static TheoryData<string, Server, int, ChunkFraming, int> Rows
    {
        get
        {
            var rows = new TheoryData<string, Server, int, ChunkFraming, int>();
            int seed = 1;
            foreach (Server server in Enum.GetValues<Server>())
            {
                foreach (string what in Requests.Keys)
                {
                    foreach (int pieces in Counts)
                    {
                        rows.Add(what, server, pieces, (ChunkFraming)(seed % 3), seed++);
                        rows.Add(what, server, pieces, (ChunkFraming)(seed % 3), seed++);
                    }
                }
            }

            return rows;
        }
    }

    private static Dictionary<string, ChunkableRequest> Requests { get; } = new()
    {
        ["stream"] = new("/stream/summer%20of%20%C3%A4/7?x=1&y=%20&x=2", Bytes(300_000), "video/mp4") { Headers = [("X-Mine", "yes"), ("Content-Language", "de, en")] },
        ["stream without a type"] = new("/stream/a/1", Bytes(5000), null),
        ["pipe"] = new("/pipe", Bytes(200_001), "application/octet-stream"),
        ["put"] = new("/put?a", Bytes(20_000), "text/plain; charset=utf-8") { Method = HttpMethod.Put },
        ["json"] = new("/json", JsonSerializer.SerializeToUtf8Bytes(new { name = "Ünïcode \u2603", lines = Enumerable.Range(0, 5000) }), "application/json"),
        ["json that is wrong"] = new("/json", "{\"name\":"u8.ToArray(), "application/json"),
        ["json null"] = new("/optional", "null"u8.ToArray(), "application/json; charset=utf-8"),
        ["multipart"] = new("/form", Multipart(100_000), $"multipart/form-data; boundary=\"{Boundary}\""),
        ["multipart without its file"] = new("/form", Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx\r\n--{Boundary}--\r\n"), $"multipart/form-data; boundary={Boundary}"),
        ["form fields"] = new("/fields", "title=a%20b&tags=1&tags=2&tags=3"u8.ToArray(), "application/x-www-form-urlencoded"),
        ["mvc form"] = new("/mvc/winter?page=3", Multipart(100_000), $"multipart/form-data; boundary={Boundary}"),
        ["mvc form that is wrong"] = new("/mvc/winter?page=no", Multipart(100), $"multipart/form-data; boundary={Boundary}"),
        ["mvc json"] = new("/mvc/json/x", JsonSerializer.SerializeToUtf8Bytes(Enumerable.Range(0, 3000).Select(static i => $"n{i}")), "application/json"),
        ["gzip"] = new("/stream/z/1", Gzip(Bytes(50_000)), "application/octet-stream") { Headers = [("Content-Encoding", "gzip")] },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Chunked_request_gets_response_of_plain_request(string what, Server server, int pieces, ChunkFraming way, int seed)
    {
        await using TestApp app = await EchoApp.StartAsync(server);
        await SameAsync(app, Requests[what], pieces, seed, way);
    }

    [Theory]
    [InlineData(Server.TestHost, 2, ChunkFraming.ContentLength, 301)]
    [InlineData(Server.TestHost, 50, ChunkFraming.Chunked, 302)]
    [InlineData(Server.Http1, 1, ChunkFraming.Chunked, 303)]
    [InlineData(Server.Http1, 50, ChunkFraming.EmptyLast, 304)]
    [InlineData(Server.Http2, 2, ChunkFraming.Chunked, 305)]
    [InlineData(Server.Http2, 50, ChunkFraming.ContentLength, 306)]
    public async Task Compressed_body_is_decompressed_when_complete(Server server, int pieces, ChunkFraming way, int seed)
    {
        await using TestApp app = await EchoApp.StartAsync(server, decompresses: true);
        byte[] whole = Bytes(80_000);
        string answer = await SameAsync(
            app, new ChunkableRequest("/stream/z/1", Gzip(whole), "text/plain") { Headers = [("Content-Encoding", "gzip")] }, pieces, seed, way);
        Assert.Contains(Echo.Digest(whole), answer, StringComparison.Ordinal);
        string json = await SameAsync(
            app,
            new ChunkableRequest("/json", Gzip("""{"name":"zip","lines":[1,2]}"""u8.ToArray()), "application/json") { Headers = [("Content-Encoding", "gzip")] },
            pieces, seed, way, "g");
        Assert.Contains("zip 2 3", json, StringComparison.Ordinal);
    }

    // Not the optional body over HTTP/2: Kestrel answers the plain request with 201 or 400, depending on whether the end of the stream arrives with the headers.
    [Theory]
    [InlineData("/stream/empty/1", null, Server.TestHost)]
    [InlineData("/stream/empty/1", "text/plain", Server.Http1)]
    [InlineData("/stream/empty/1", "text/plain", Server.Http2)]
    [InlineData("/pipe", "text/plain", Server.Http1)]
    [InlineData("/json", "application/json", Server.TestHost)]
    [InlineData("/json", "application/json", Server.Http1)]
    [InlineData("/json", "application/json", Server.Http2)]
    [InlineData("/optional", "application/json", Server.TestHost)]
    [InlineData("/optional", "application/json", Server.Http1)]
    [InlineData("/optional", null, Server.Http1)]
    [InlineData("/form", "multipart/form-data; boundary=x", Server.Http1)]
    [InlineData("/fields", "application/x-www-form-urlencoded", Server.Http1)]
    [InlineData("/mvc/json/x", "application/json", Server.Http1)]
    public async Task Empty_body_gets_response_of_empty_plain_body(string path, string? type, Server server)
    {
        await using TestApp app = await EchoApp.StartAsync(server);
        await SameAsync(app, new ChunkableRequest(path, [], type), 1, 0, ChunkFraming.ContentLength);
    }

    private static async Task<string> SameAsync(TestApp app, ChunkableRequest request, int pieces, int seed, ChunkFraming way, string fileId = "f")
    {
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        string expected = await Reply.OfAsync(plain);
        using HttpResponseMessage inChunks = await request.SendInChunksAsync(app.Client, pieces, seed, way, fileId);
        Assert.Equal(expected, await Reply.OfAsync(inChunks, isOurs: true));
        Assert.Equal(("true", request.Content.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)), (inChunks.Header("X-Upload-Complete"), inChunks.Header("X-Start-Byte")));

        // The replayed response has all headers except those that are never stored.
        using HttpResponseMessage again = await request.RepeatLastRequestAsync(app.Client, fileId);
        Assert.Equal(
            string.Join('\n', expected.Split('\n').Where(static line => !line.StartsWith("Set-Cookie", StringComparison.Ordinal))),
            await Reply.OfAsync(again, isOurs: true));
        Assert.Equal("true", again.Header("X-Upload-Replayed"));
        return expected;
    }

    private static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var zip = new GZipStream(zipped, CompressionLevel.Fastest))
        {
            zip.Write(bytes);
        }

        return zipped.ToArray();
    }

    private static byte[] Multipart(int fileSize) =>
    [
        .. Encoding.UTF8.GetBytes(
            $"--{Boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nSümmer\r\n" +
            $"--{Boundary}\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\n1\r\n" +
            $"--{Boundary}\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\n22\r\n" +
            $"--{Boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ä b.bin\"\r\nContent-Type: image/x-own\r\n\r\n"),
        .. Bytes(fileSize),
        .. Encoding.UTF8.GetBytes($"\r\n--{Boundary}--\r\n"),
    ];
}
