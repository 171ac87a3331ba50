using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Requests;

/// <summary>
/// Offsets count the bytes that the client sent. Chunks that middleware has decoded are rejected; encoded chunks that no middleware has decoded are
/// stored as they are.
/// </summary>
public class RequestDecompressionTests
{
    private const string Url = "/upload";
    private const string UseAlone = "UseResumableUploads";
    private const string Use = "AddResumableUploads + UseResumableUploads";
    private const string MapAlone = "MapResumableUploads";
    private const string Map = "AddResumableUploads + MapResumableUploads";
    private const string Endpoint = "WithResumableUploads";
    private const string EndpointMiddleware = "WithResumableUploads + UseResumableUploadEndpoints";

    private static readonly string[] AllHosting = [UseAlone, Use, MapAlone, Map, Endpoint, EndpointMiddleware];

    /// <summary>Larger than the buffers of the connection, so that a response is only read if the server drains the body.</summary>
    private static readonly byte[] Content = CreateContent();
    private static readonly byte[] Encoded = Compress(Content);

    public static TheoryData<string> Hosting => [.. AllHosting];

    public static TheoryData<string, string> HostingAndProtocol =>
        new(from hosting in AllHosting from protocol in new[] { "file-id", "tus", "ietf", "ietf-append" } select (hosting, protocol));

    [Theory, MemberData(nameof(HostingAndProtocol))]
    public async Task Decoded_chunk_returns_415_and_stores_nothing(string hosting, string protocol)
    {
        await using TestApp app = await StartAsync(hosting, static app => app.UseRequestDecompression());
        await RejectsAsync(app, protocol);
        await RejectsAsync(app, protocol);

        string[] lines = [.. app.Log.Lines.Where(static line => line.Contains("[307]", StringComparison.Ordinal))];
        Assert.Equal(["Error", "Debug"], lines.Select(static line => line.Split(' ')[0]));
        Assert.All(lines, static line => Assert.Contains("before UseRequestDecompression()", line));
    }

    [Theory, MemberData(nameof(Hosting))]
    public async Task Decoded_chunk_over_http2_returns_415(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static app => app.UseRequestDecompression(), protocols: HttpProtocols.Http2);
        app.Client.DefaultRequestVersion = System.Net.HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await RejectsAsync(app, "file-id");
    }

    /// <summary>Chunks after the first one do not begin with a gzip header: draining the rest of the body must not decode it.</summary>
    [Theory, MemberData(nameof(Hosting))]
    public async Task Chunk_that_cannot_be_decoded_returns_415(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static app => app.UseRequestDecompression());
        using HttpResponseMessage response = await app.Client.AppendAsync("a", 0, Content, null, ("Content-Encoding", "gzip"));
        await response.ProblemAsync(415, IetfClient.Own + "decoded-body");
    }

    [Theory]
    [InlineData(UseAlone)]
    [InlineData(Use)]
    [InlineData(Endpoint)]
    public async Task Chunk_decoded_by_custom_middleware_returns_415(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static app => app.Use(static (context, next) =>
        {
            if (context.Request.Headers.Remove("Content-Encoding"))
            {
                context.Request.Body = new GZipStream(context.Request.Body, CompressionMode.Decompress);
            }

            return next(context);
        }));
        await RejectsAsync(app, "file-id");
    }

    [Fact]
    public async Task Chunk_decoded_and_buffered_by_middleware_returns_415()
    {
        await using TestApp app = await StartAsync(Use, static app =>
        {
            app.UseRequestDecompression();
            UseBuffering(app);
        });
        await RejectsAsync(app, "file-id");
    }

    [Fact]
    public async Task Options_resolved_before_the_pipeline_is_built_do_not_disable_the_check()
    {
        await using TestApp app = await StartAsync(Endpoint, static app =>
        {
            _ = app.Services.GetRequiredService<IOptions<RequestDecompressionOptions>>().Value;
            app.UseRequestDecompression();
        });
        await RejectsAsync(app, "file-id");
    }

    [Theory, MemberData(nameof(Hosting))]
    public async Task Encoded_chunk_without_decompression_is_stored_as_sent(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static _ => { });
        await AcceptsAsync(app, "gzip");
    }

    /// <summary>Logging and buffering replace the body, and the bytes are those that the client sent.</summary>
    [Theory, MemberData(nameof(Hosting))]
    public async Task Encoded_chunk_in_a_buffered_body_is_stored_as_sent(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static app => UseBuffering(app));
        await AcceptsAsync(app, "gzip");
    }

    [Theory, MemberData(nameof(Hosting))]
    public async Task Chunk_without_a_known_encoding_passes_request_decompression(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static app => app.UseRequestDecompression());
        await AcceptsAsync(app, "unknown");
        await AcceptsAsync(app, encoding: null);
    }

    [Theory, MemberData(nameof(Hosting))]
    public async Task Request_decompression_in_another_branch_does_not_affect_uploads(string hosting)
    {
        await using TestApp app = await StartAsync(hosting, static app => app.Map("/other", static branch =>
        {
            branch.UseRequestDecompression();
            branch.Run(static async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                await context.Response.WriteAsync($"{body.Length}");
            });
        }));
        await AcceptsAsync(app, "gzip");
        using var content = new ByteArrayContent(Encoded) { Headers = { ContentEncoding = { "gzip" } } };
        using HttpResponseMessage other = await app.Client.PostAsync("/other", content);
        Assert.Equal($"{Content.Length}", await other.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Request_decompression_behind_the_endpoint_middleware_decodes_the_whole_body()
    {
        long decodedLength = -1;
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.UseResumableUploadEndpoints();
                app.UseRequestDecompression();
                app.MapPost(Url, async (Stream body) =>
                {
                    using var decoded = new MemoryStream();
                    await body.CopyToAsync(decoded);
                    decodedLength = decoded.Length;
                }).WithResumableUploads();
            },
            services: static builder => builder.Services.AddRequestDecompression());
        using HttpResponseMessage first = await app.Client.AppendAsync("a", 0, Encoded[..100_000], Encoded.Length, ("Content-Encoding", "gzip"));
        using HttpResponseMessage last = await app.Client.AppendAsync("a", 100_000, Encoded[100_000..], Encoded.Length, ("Content-Encoding", "gzip"));
        Assert.Equal((200, 200, Content.Length), ((int)first.StatusCode, (int)last.StatusCode, decodedLength));
    }

    private static async Task RejectsAsync(TestApp app, string protocol)
    {
        HttpClient client = app.Client;
        switch (protocol)
        {
            case "file-id":
                using (HttpResponseMessage response = await client.AppendAsync("a", 0, Encoded, Encoded.Length, ("Content-Encoding", "gzip")))
                {
                    await response.ProblemAsync(415, IetfClient.Own + "decoded-body");
                }

                Assert.Equal(0, await client.StatusAsync("a", Url));
                break;
            case "tus":
                string upload = await client.CreateAsync(Url, Encoded.Length);
                using (HttpResponseMessage response = await SendTusChunkAsync(client, upload))
                {
                    await response.ProblemAsync(415, IetfClient.Own + "decoded-body");
                    Assert.Equal("1.0.0", response.Header("Tus-Resumable"));
                }

                Assert.Equal(0, await client.OffsetAsync(upload));
                break;
            case "ietf":
                using (HttpResponseMessage response = await client.IetfAsync(
                    "POST", Url, IetfClient.Newest, new ByteArrayContent(Encoded), IetfClient.Completeness(IetfClient.Newest, true), ("Content-Encoding", "gzip")))
                {
                    await response.ProblemAsync(415, IetfClient.Own + "decoded-body");
                    Assert.Null(response.Header("Location"));
                }

                break;
            case "ietf-append":
                using (HttpResponseMessage created = await client.IetfAsync(
                    "POST", Url, IetfClient.Newest, new ByteArrayContent([]), IetfClient.Completeness(IetfClient.Newest, false)))
                {
                    Assert.Equal(201, (int)created.StatusCode);
                    upload = created.Header("Location")!;
                }

                using (HttpResponseMessage response = await client.AppendAsync(upload, 0, true, Encoded, headers: ("Content-Encoding", "gzip")))
                {
                    await response.ProblemAsync(415, IetfClient.Own + "decoded-body");
                    Assert.Equal("10", response.Header("Upload-Draft-Interop-Version"));
                }

                Assert.Equal((0, false), await client.StateAsync(upload));
                break;
        }
    }

    private static Task<HttpResponseMessage> SendTusChunkAsync(HttpClient client, string upload)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, upload) { Content = new ByteArrayContent(Encoded) };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", "0");
        request.Content.Headers.Add("Content-Type", "application/offset+octet-stream");
        request.Content.Headers.Add("Content-Encoding", "gzip");
        return client.SendAsync(request);
    }

    private static async Task AcceptsAsync(TestApp app, string? encoding)
    {
        string id = encoding ?? "none";
        using HttpResponseMessage response = await app.Client.AppendAsync(
            id, 0, Encoded, Encoded.Length + 1, encoding is null ? [] : [("Content-Encoding", encoding)]);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(Encoded.Length, await app.Client.StatusAsync(id, Url));
    }

    private static void UseBuffering(WebApplication app) => app.Use(static (context, next) =>
    {
        context.Request.EnableBuffering();
        return next(context);
    });

    private static Task<TestApp> StartAsync(string hosting, Action<WebApplication> front, HttpProtocols protocols = HttpProtocols.Http1) => TestApp.StartAsync(
        services: builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Debug);
            builder.Services.AddRequestDecompression();
            if (hosting is not (UseAlone or MapAlone))
            {
                builder.Services.AddResumableUploads(options => Configure(options, builder.Environment.ContentRootPath));
            }
        },
        before: app =>
        {
            string directory = app.Environment.ContentRootPath;
            front(app);
            switch (hosting)
            {
                case UseAlone or Use:
                    app.UseResumableUploads(options => Configure(options, directory));
                    break;
                case MapAlone or Map:
                    app.MapResumableUploads(Url, options => Configure(options, directory));
                    break;
                default:
                    if (hosting == EndpointMiddleware)
                    {
                        app.UseResumableUploadEndpoints();
                    }

                    app.MapPost(Url, static () => "").WithResumableUploads();
                    break;
            }
        },
        protocols: protocols,
        useUploads: false);

    private static void Configure(ResumableUploadOptions options, string directory)
    {
        options.Directory = directory;
        options.FileSystem.Durability = Durability.ProcessCrash;
        options.FileId.CompleteOnFullBody = false;
    }

    private static byte[] CreateContent()
    {
        byte[] content = new byte[4 << 20];
        new Random(1).NextBytes(content.AsSpan(0, content.Length / 2));
        return content;
    }

    private static byte[] Compress(byte[] content)
    {
        using var encoded = new MemoryStream();
        using (var gzip = new GZipStream(encoded, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return encoded.ToArray();
    }
}
