using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

/// <summary>However an endpoint writes its response, an upload gets the same response as a plain request.</summary>
public class ResponseWritingTests
{
    private static readonly byte[] Long = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 60_000).Select(static i => $"{i},")));

    public static TheoryData<string, Server> Rows
    {
        get
        {
            var rows = new TheoryData<string, Server>();
            foreach (string way in Ways.Keys)
            {
                foreach (Server server in Enum.GetValues<Server>())
                {
                    rows.Add(way, server);
                }
            }

            return rows;
        }
    }

    private static Dictionary<string, RequestDelegate> Ways { get; } = new()
    {
        ["nothing"] = static _ => Task.CompletedTask,
        ["no content"] = static context =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        },
        ["redirect"] = static context =>
        {
            context.Response.Redirect("/elsewhere?x=1");
            return Task.CompletedTask;
        },
        ["not found"] = static context => Results.NotFound(new { why = "no such album" }).ExecuteAsync(context),
        ["problem"] = static context => Results.Problem("wrong", statusCode: 422).ExecuteAsync(context),
        ["text"] = static context => context.Response.WriteAsync("text \u2603"),
        ["in parts with flushes"] = static async context =>
        {
            context.Response.ContentType = "text/plain";
            for (int i = 0; i < 5; i++)
            {
                await context.Response.WriteAsync($"part {i} ");
                await context.Response.Body.FlushAsync();
            }
        },
        ["pipe"] = static async context =>
        {
            context.Response.ContentType = "application/octet-stream";
            Long.AsSpan(0, 20_000).CopyTo(context.Response.BodyWriter.GetSpan(20_000));
            context.Response.BodyWriter.Advance(20_000);
            await context.Response.BodyWriter.FlushAsync();
            "and not flushed"u8.CopyTo(context.Response.BodyWriter.GetSpan(100));
            context.Response.BodyWriter.Advance(15);
        },
        ["pipe and stream in turns"] = static async context =>
        {
            context.Response.ContentType = "text/plain";
            "one "u8.CopyTo(context.Response.BodyWriter.GetSpan(4));
            context.Response.BodyWriter.Advance(4);
            await context.Response.BodyWriter.FlushAsync();
            await context.Response.Body.WriteAsync("two "u8.ToArray());
            await context.Response.BodyWriter.WriteAsync("three"u8.ToArray());
        },
        ["long"] = static context => Results.Bytes(Long, "text/csv").ExecuteAsync(context),
        ["long through the pipe"] = static async context =>
        {
            context.Response.Headers.ETag = "\"long\"";
            await context.Response.BodyWriter.WriteAsync(Long);
            await context.Response.BodyWriter.WriteAsync(Long);
        },
        ["long in small parts"] = static async context =>
        {
            context.Response.StatusCode = 201;
            for (int at = 0; at < Long.Length; at += 1000)
            {
                await context.Response.Body.WriteAsync(Long.AsMemory(at, Math.Min(1000, Long.Length - at)));
            }
        },
        ["file"] = static context => Results.File(typeof(ResponseWritingTests).Assembly.Location, "application/x-own", "own.dll").ExecuteAsync(context),
        ["file by SendFile"] = static context => context.Response.SendFileAsync(typeof(ResponseWritingTests).Assembly.Location, 1000, 2000),
        ["header on starting"] = static context =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.ETag = "\"late\"";
                return Task.CompletedTask;
            });
            return context.Response.WriteAsync("x");
        },
        ["header on starting of nothing"] = static context =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.StatusCode = 202;
                context.Response.Headers.Location = "/later";
                return Task.CompletedTask;
            });
            return Task.CompletedTask;
        },
        ["start and complete"] = static async context =>
        {
            await context.Response.StartAsync();
            await context.Response.WriteAsync("started");
            await context.Response.CompleteAsync();
        },
        ["cleared"] = static async context =>
        {
            context.Response.StatusCode = 500;
            context.Response.Headers.ETag = "\"gone\"";
            context.Response.Clear();
            await context.Response.WriteAsync("cleared");
        },
        ["other body"] = static async context =>
        {
            Stream real = context.Response.Body;
            using var own = new MemoryStream();
            context.Response.Body = own;
            await context.Response.WriteAsync("turned round");
            context.Response.Body = real;
            await real.WriteAsync(own.ToArray().Reverse().ToArray());
        },
        ["synchronous"] = static context =>
        {
            context.Features.Get<IHttpBodyControlFeature>()!.AllowSynchronousIO = true;
            context.Response.Body.Write("sync"u8);
            context.Response.Body.Flush();
            return Task.CompletedTask;
        },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Response_equals_that_of_plain_request_however_written(string way, Server server)
    {
        await using TestApp app = await server.StartAsync(app => app.MapPost("/x", Ways[way]).WithResumableUploads());
        var request = new ChunkableRequest("/x", new byte[1000], "text/plain");
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage inChunks = await request.SendInChunksAsync(app.Client, 2, 1);
        Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(inChunks, isOurs: true));
        Assert.Equal(plain.Content.Headers.ContentLength, plain.Content.Headers.ContentLength is null ? null : inChunks.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData(Server.TestHost)]
    [InlineData(Server.Http1)]
    [InlineData(Server.Http2)]
    public async Task Response_over_limit_is_replayed_without_body(Server server)
    {
        await using TestApp app = await server.StartAsync(app => app.MapPost("/x", Ways["long through the pipe"]).WithResumableUploads());
        var request = new ChunkableRequest("/x", new byte[1000], "text/plain");
        using HttpResponseMessage first = await request.SendInChunksAsync(app.Client, 2, 1);
        Assert.Equal(2 * Long.Length, (await first.Content.ReadAsByteArrayAsync()).Length);
        using HttpResponseMessage again = await request.RepeatLastRequestAsync(app.Client);
        Assert.Equal(("\"long\"", "true", 0), (again.Header("ETag"), again.Header("X-Upload-Complete"), (await again.Content.ReadAsByteArrayAsync()).Length));
    }

    [Fact]
    public async Task Middleware_around_endpoint_can_wrap_response()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.UseResumableUploadEndpoints();
                app.UseResponseCompression();
                app.MapPost("/x", static () => Results.Text(new string('x', 30_000))).WithResumableUploads();
            },
            services: static builder => builder.Services.AddResponseCompression(),
            onTestHost: true);
        var request = new ChunkableRequest("/x", new byte[1000], "text/plain") { Headers = [("Accept-Encoding", "gzip")] };
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage inChunks = await request.SendInChunksAsync(app.Client, 2, 1);
        string expected = await Reply.OfAsync(plain);
        Assert.Contains("Content-Encoding: gzip", expected, StringComparison.Ordinal);
        Assert.Equal(expected, await Reply.OfAsync(inChunks, isOurs: true));
        using HttpResponseMessage again = await request.RepeatLastRequestAsync(app.Client);
        Assert.Equal(expected, await Reply.OfAsync(again, isOurs: true));
    }
}
