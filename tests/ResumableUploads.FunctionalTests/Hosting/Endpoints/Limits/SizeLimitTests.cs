using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>Limits of an endpoint apply to the complete upload, not to a chunk.</summary>
public class SizeLimitTests
{
    [Theory]
    [InlineData("/metadata", 1000)]
    [InlineData("/action", 1000)]
    [InlineData("/attribute", 2000)]
    [InlineData("/options", 3000)]
    [InlineData("/both", 500)]
    public async Task Endpoint_limit_applies_to_complete_upload(string path, int limit)
    {
        await using TestApp app = await AppAsync();

        // A Content-Length over the limit is rejected before the body is read and before an upload is created.
        await using (RawConnection line = await RawConnection.OpenAsync(app.Address))
        {
            await line.SendHeadAsync($"POST {path}", "X-File-Id: stated", $"Content-Length: {limit + 1}", "Expect: 100-continue");
            RawResponse refusal = (await line.ReadResponseAsync())!;
            Assert.Equal((413, true), (refusal.Status, refusal.Body.Contains($"The maximum size of an upload is {limit} bytes", StringComparison.Ordinal)));
        }

        using (HttpResponseMessage size = await SendAsync(app, path, "size", 0, 10, limit + 1))
        {
            Assert.Equal(413, (int)size.StatusCode);
        }

        // Two chunks that exceed the limit only together.
        int half = (limit / 2) + 1;
        (await SendAsync(app, path, "two", 0, half)).Dispose();
        using (HttpResponseMessage second = await SendAsync(app, path, "two", half, half))
        {
            Assert.Equal(413, (int)second.StatusCode);
        }

        Assert.Equal(half, await app.Client.StatusAsync("two", path));

        // Without Content-Length, the bytes that fit are stored, and the upload is not completed.
        using (HttpResponseMessage chunked = await SendAsync(app, path, "chunked", 0, limit + 1, chunked: true))
        {
            Assert.Equal(413, (int)chunked.StatusCode);
        }

        using HttpResponseMessage whole = await SendAsync(app, path, "whole", 0, limit, limit);
        Assert.Equal((200, $"{limit}"), ((int)whole.StatusCode, await whole.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Endpoint_without_limit_uses_options_limit()
    {
        await using TestApp app = await AppAsync();
        byte[] file = new byte[40_000_000];
        using HttpResponseMessage whole = await SendAsync(app, "/none", "f", 0, file.Length, file.Length);
        Assert.Equal((200, "40000000"), ((int)whole.StatusCode, await whole.Content.ReadAsStringAsync()));
        await using RawConnection plain = await RawConnection.OpenAsync(app.Address);
        await plain.SendHeadAsync("POST /none", $"Content-Length: {file.Length}");
        Assert.Equal(413, (await plain.ReadResponseAsync())!.Status);
    }

    [Theory]
    [InlineData("/form", 200)]
    [InlineData("/form/own", 400)]
    [InlineData("/mvc/form", 200)]
    [InlineData("/mvc/form/own", 400)]
    public async Task Form_limit_of_app_is_raised_and_of_endpoint_kept(string path, int status)
    {
        // The app's limit takes the place of the framework's default of 128 MiB.
        await using TestApp app = await AppAsync();
        byte[] form = Form(50_000);
        using HttpResponseMessage response = await new ChunkableRequest(path, form, "multipart/form-data; boundary=x").SendInChunksAsync(app.Client, 3, 1);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 200)
        {
            Assert.Equal("50000", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Form_limit_is_raised_to_endpoint_size_above_that_of_options()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapPost("/form", [ResumableUpload(MaxUploadSize = 100_000)] static (IFormFile file) => file.Length).DisableAntiforgery(),
            static options => options.MaxUploadSize = 30_000,
            static builder => builder.Services.Configure<FormOptions>(static form => form.MultipartBodyLengthLimit = 20_000));
        using HttpResponseMessage response = await new ChunkableRequest("/form", Form(50_000), "multipart/form-data; boundary=x").SendInChunksAsync(app.Client, 3, 1);
        Assert.Equal((200, "50000"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Form_over_endpoint_limit_gets_response_of_plain_form()
    {
        await using TestApp app = await AppAsync();
        foreach (string path in new[] { "/form/own", "/mvc/form/own" })
        {
            var request = new ChunkableRequest(path, Form(50_000), "multipart/form-data; boundary=x");
            using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
            using HttpResponseMessage pieces = await request.SendInChunksAsync(app.Client, 2, 1);
            Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(pieces, isOurs: true));
        }
    }

    [Theory]
    [InlineData("/json", "text/plain", 415)]
    [InlineData("/json", "application/json", 200)]
    [InlineData("/form", "application/json", 415)]
    [InlineData("/form", "multipart/form-data; boundary=x", 200)]
    [InlineData("/images", "image/png", 200)]
    [InlineData("/images", "video/mp4", 415)]
    [InlineData("/images", "not a type", 415)]
    [InlineData("/images", null, 200)]
    [InlineData("/mvc/image", "text/plain", 415)]
    [InlineData("/mvc/image", "image/png", 200)]
    public async Task Unsupported_content_type_is_rejected_before_body_is_stored(string path, string? type, int status)
    {
        await using TestApp app = await AppAsync();
        var request = new ChunkableRequest(path, new byte[10], type);
        using HttpResponseMessage piece = await request.SendChunkAsync(app.Client, "f", 0, new byte[4], 10, ChunkFraming.ContentLength);
        Assert.Equal(status, (int)piece.StatusCode);
        Assert.Equal(status == 200 ? 4 : 0, await app.Client.StatusAsync("f", path));
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        Assert.Equal(status == 415, (int)plain.StatusCode == 415);
    }

    [Fact]
    public async Task Headers_larger_than_record_return_431()
    {
        await using TestApp app = await AppAsync();
        var request = new ChunkableRequest("/none?q=" + new string('q', 5000), [1, 2], "text/plain") { Headers = [("Content-Language", new string('<', 9000))] };
        using HttpResponseMessage response = await request.SendChunkAsync(app.Client, "f", 0, [1], 2, ChunkFraming.ContentLength);
        Assert.Equal(431, (int)response.StatusCode);
        Assert.Equal(0, await app.Client.StatusAsync("f", "/none"));
    }

    private static Task<TestApp> AppAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.MapPost("/none", CountAsync).WithResumableUploads();
            app.MapPost("/metadata", CountAsync).WithMetadata(new Limit(1000)).WithResumableUploads();
            app.MapPost("/options", CountAsync).WithResumableUploads(static options => options.MaxUploadSize = 3000);
            app.MapPost("/attribute", [ResumableUpload(MaxUploadSize = 2000)] (Stream body) => CountAsync(body));
            app.MapPost("/both", [ResumableUpload(MaxUploadSize = 2000), RequestSizeLimit(500)] (Stream body) => CountAsync(body));
            app.MapPost("/form", static (IFormFile file) => file.Length).DisableAntiforgery().WithResumableUploads();
            app.MapPost("/form/own", static (IFormFile file) => file.Length).DisableAntiforgery()
                .WithFormOptions(multipartBodyLengthLimit: 30_000).WithResumableUploads();
            app.MapPost("/json", static ([FromBody] int[] numbers) => numbers.Length).WithResumableUploads();
            app.MapPost("/images", CountAsync).Accepts<byte[]>("image/*").WithResumableUploads();
            app.MapControllers();
        },
        static options => options.FileId.CompleteOnFullBody = false,
        static builder =>
        {
            builder.Services.Configure<FormOptions>(static form => form.MultipartBodyLengthLimit = 20_000);
            builder.Services.AddControllers().OnlyControllers(typeof(LimitedController));
        });

    private static async Task<string> CountAsync(Stream body)
    {
        using var content = new MemoryStream();
        await body.CopyToAsync(content);
        return $"{content.Length}";
    }

    private static byte[] Form(int size) =>
        [.. "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"u8, .. new byte[size], .. "\r\n--x--\r\n"u8];

    private static Task<HttpResponseMessage> SendAsync(TestApp app, string path, string id, long start, int count, long? size = null, bool chunked = false) =>
        new ChunkableRequest(path, [], null).SendChunkAsync(app.Client, id, start, new byte[count], size, chunked ? ChunkFraming.Chunked : ChunkFraming.ContentLength);

    private sealed record Limit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}

[ApiController]
public sealed class LimitedController : ControllerBase
{
    [HttpPost("/action"), ResumableUpload, RequestSizeLimit(1000)]
    public async Task<string> ActionAsync()
    {
        using var reader = new StreamReader(Request.Body, Encoding.Latin1);
        return $"{(await reader.ReadToEndAsync()).Length}";
    }

    [HttpPost("/mvc/form"), ResumableUpload]
    public string Form(IFormFile file) => $"{file.Length}";

    [HttpPost("/mvc/form/own"), ResumableUpload, RequestFormLimits(MultipartBodyLengthLimit = 30_000)]
    public string OwnForm(IFormFile file) => $"{file.Length}";

    [HttpPost("/mvc/image"), ResumableUpload, Consumes("image/png")]
    public string Image() => "image";
}
