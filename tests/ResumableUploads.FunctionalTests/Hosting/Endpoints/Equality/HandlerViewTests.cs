using System.IO.Pipelines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

/// <summary>The request that an endpoint sees after an upload in chunks.</summary>
public class HandlerViewTests
{
    private static readonly byte[] File = [.. Enumerable.Range(0, 10_000).Select(static i => (byte)i)];

    [Theory]
    [InlineData(Server.TestHost)]
    [InlineData(Server.Http1)]
    [InlineData(Server.Http2)]
    public async Task Content_headers_come_from_first_chunk(Server server)
    {
        string? seen = null;
        string[] headers = [];
        await using TestApp app = await server.StartAsync(app => app.MapMethods("/a/{b}/{c:int}", ["POST", "PUT"], (HttpContext context) =>
        {
            HttpRequest request = context.Request;
            headers = [.. request.Headers.Keys];
            seen = $"{request.Method} {request.PathBase}{request.Path}{request.QueryString} {request.RouteValues["b"]} {request.RouteValues["c"]} {request.Query["q"]} "
                + $"{request.ContentType} {request.ContentLength} {request.Headers.ContentLanguage} {request.Headers["X-Of"]} {request.Body.CanSeek} {request.Body.Length} "
                + $"{context.Features.Get<IHttpRequestBodyDetectionFeature>()!.CanHaveBody} {context.Features.Get<IHttpRequestFeature>()!.RawTarget}";
        }).WithResumableUploads());
        var first = new ChunkableRequest("/a/one/2?q=first", File, "image/png") { Headers = [("X-Of", "first"), ("Content-Language", "de"), ("X-File-Name", "a.png")] };
        (await first.SendChunkAsync(app.Client, "f", 0, File[..4000], File.Length, ChunkFraming.ContentLength)).Dispose();
        var last = new ChunkableRequest("/a/one/2?q=first", File, "text/html") { Headers = [("X-Of", "last"), ("Content-Language", "en"), ("X-File-Name", "b.png")] };
        (await last.SendChunkAsync(app.Client, "f", 4000, File[4000..], File.Length, ChunkFraming.Chunked)).Dispose();

        Assert.Equal("POST /a/one/2?q=first one 2 first image/png 10000 de last True 10000 True /a/one/2?q=first", seen);
        Assert.DoesNotContain(headers, static name => name.StartsWith("X-File", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(headers, static name => name is "X-Start-Byte" or "Transfer-Encoding" or "Content-Digest");
    }

    [Fact]
    public async Task Body_is_seekable()
    {
        bool same = false;
        await RunAsync(async context =>
        {
            using var once = new MemoryStream();
            using var twice = new MemoryStream();
            await context.Request.Body.CopyToAsync(once);
            context.Request.Body.Position = 0;
            await context.Request.Body.CopyToAsync(twice);
            same = once.ToArray().AsSpan().SequenceEqual(File) && twice.ToArray().AsSpan().SequenceEqual(File);
        });
        Assert.True(same);
    }

    [Fact]
    public async Task EnableBuffering_has_no_effect()
    {
        bool same = false;
        await RunAsync(async context =>
        {
            Stream before = context.Request.Body;
            context.Request.EnableBuffering();
            same = ReferenceEquals(before, context.Request.Body);
            await context.Request.Body.CopyToAsync(Stream.Null);
        });
        Assert.True(same);
    }

    [Fact]
    public async Task BodyReader_reads_complete_content()
    {
        long length = 0;
        await RunAsync(async context =>
        {
            while (true)
            {
                ReadResult result = await context.Request.BodyReader.ReadAsync();
                length += result.Buffer.Length;
                context.Request.BodyReader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        });
        Assert.Equal(File.Length, length);
    }

    [Fact]
    public async Task Form_can_be_read_twice()
    {
        string? seen = null;
        await RunAsync(
            async context =>
            {
                IFormCollection once = await context.Request.ReadFormAsync();
                IFormCollection twice = context.Request.Form;
                seen = $"{context.Request.HasFormContentType} {once["a"]} {twice["a"]} {twice["b"].Count} {ReferenceEquals(once, twice)}";
            },
            new ChunkableRequest("/x", "a=1&b=2&b=3"u8.ToArray(), "application/x-www-form-urlencoded"));
        Assert.Equal("True 1 1 2 True", seen);
    }

    [Fact]
    public async Task Middleware_in_front_sees_chunks_and_behind_sees_one_request()
    {
        var before = new List<(long? Length, TaskCompletionSource<long?> LengthAfter)>();
        var behind = new List<string>();
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.UseRouting();
                app.Use(async (context, next) =>
                {
                    var after = new TaskCompletionSource<long?>(TaskCreationOptions.RunContinuationsAsynchronously);
                    before.Add((context.Request.ContentLength, after));
                    await next(context);
                    after.SetResult(context.Request.ContentLength);
                });
                app.UseResumableUploadEndpoints();
                app.Use((context, next) =>
                {
                    behind.Add($"{context.Request.ContentLength} {context.GetEndpoint()!.DisplayName} {context.GetRouteValue("id")}");
                    return next(context);
                });
                app.MapPost("/x/{id}", static () => "done").WithDisplayName("mine").WithResumableUploads();
            },
            onTestHost: true);
        (await new ChunkableRequest("/x/5", File, "image/png").SendInChunksAsync(app.Client, 2, 1)).Dispose();

        int cut = new ChunkableRequest("/x", File, null).GetChunkBoundaries(2, 1)[1];
        Assert.Equal([cut, File.Length - cut], before.Select(static request => request.Length));

        // The client can receive the response before the middleware in front continues.
        Assert.Equal([cut, File.Length - cut], await Eventually.WithinAsync(Task.WhenAll(before.Select(static request => request.LengthAfter.Task))));
        Assert.Equal(["10000 mine 5"], behind);
    }

    [Fact]
    public async Task Request_without_upload_headers_has_no_upload()
    {
        var uploads = new List<IResumableUploadFeature?>();
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost("/x", (HttpContext context) => uploads.Add(context.Features.Get<IResumableUploadFeature>())).WithResumableUploads(), onTestHost: true);
        var request = new ChunkableRequest("/x", File, "image/png") { Headers = [("X-File-Name", "a%20b.png")] };
        (await request.SendPlainAsync(app.Client)).Dispose();
        (await request.SendInChunksAsync(app.Client, 3, 9)).Dispose();

        Assert.Null(uploads[0]);
        Assert.Equal(("a b.png", 10_000, false, 1), (uploads[1]!.FileName, uploads[1]!.Size, uploads[1]!.IsRepeat, uploads[1]!.Attempt));
    }

    private static async Task RunAsync(RequestDelegate handler, ChunkableRequest? request = null)
    {
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost("/x", handler).WithResumableUploads());
        using HttpResponseMessage response = await (request ?? new ChunkableRequest("/x", File, "image/png")).SendInChunksAsync(app.Client, 3, 5);
        Assert.Equal(200, (int)response.StatusCode);
    }
}
