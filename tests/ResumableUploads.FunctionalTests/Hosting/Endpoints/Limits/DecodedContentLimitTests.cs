using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>Content that middleware decompresses in the run of the endpoint has limits after decompression, too.</summary>
public class DecodedContentLimitTests
{
    private const int ServerLimit = 10_000;
    private const int MaxUploadSize = 50_000;

    [Theory]
    [InlineData("/json", "application/json", ServerLimit)]
    [InlineData("/stream", "application/octet-stream", MaxUploadSize)]
    [InlineData("/size-limit", "application/octet-stream", 30_000)]
    public async Task Decompressed_content_is_limited(string path, string type, int limit)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage allowed = await SendAsync(app, path, type, CreateText(limit), "allowed");
        Assert.Equal((200, $"{limit}"), ((int)allowed.StatusCode, await allowed.Content.ReadAsStringAsync()));
        using HttpResponseMessage rejected = await SendAsync(app, path, type, CreateText(limit + 1), "rejected");
        Assert.Equal(413, (int)rejected.StatusCode);
        if (limit == ServerLimit)
        {
            using HttpResponseMessage plain = await Request(path, type, CreateText(limit + 1)).SendPlainAsync(app.Client);
            Assert.Equal(413, (int)plain.StatusCode);
        }
    }

    [Theory]
    [InlineData("/form", ServerLimit, 200)]
    [InlineData("/form", ServerLimit + 1, 413)]
    [InlineData("/form-limits", ServerLimit, 200)]
    [InlineData("/form-limits", ServerLimit + 1, 413)]
    public async Task Decompressed_form_is_read_and_its_values_are_limited(string path, int valueSize, int status)
    {
        await using TestApp app = await StartAsync();
        byte[] form =
        [
            .. "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n12345\r\n--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"u8,
            .. CreateText(valueSize), .. "\r\n--x--\r\n"u8,
        ];
        using HttpResponseMessage response = await SendAsync(app, path, "multipart/form-data; boundary=x", form, "form");
        Assert.Equal((status, status == 200 ? $"{valueSize} 12345" : ""), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Endpoint_sees_the_limit_of_its_content()
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage json = await app.Client.AppendAsync("j", 0, new ByteArrayContent([1]), 1, "/limit", ("Content-Type", "application/json"));
        using HttpResponseMessage other = await app.Client.AppendAsync("o", 0, new ByteArrayContent([1]), 1, "/limit", ("Content-Type", "video/mp4"));
        Assert.Equal(($"{ServerLimit}", $"{MaxUploadSize}"), (await json.Content.ReadAsStringAsync(), await other.Content.ReadAsStringAsync()));
    }

    private static byte[] CreateText(int length) => [(byte)'"', .. Enumerable.Repeat((byte)'a', length - 2), (byte)'"'];

    private static Task<HttpResponseMessage> SendAsync(TestApp app, string path, string type, byte[] content, string id) =>
        Request(path, type, content).SendInChunksAsync(app.Client, 2, 1, fileId: id);

    private static ChunkableRequest Request(string path, string type, byte[] content)
    {
        using var encoded = new MemoryStream();
        using (var gzip = new GZipStream(encoded, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return new ChunkableRequest(path, encoded.ToArray(), type) { Headers = [("Content-Encoding", "gzip")] };
    }

    private static Task<TestApp> StartAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.UseRouting();
            app.UseResumableUploadEndpoints();
            app.UseRequestDecompression();
            app.MapPost("/json", static ([FromBody] string text) => text.Length + 2).WithResumableUploads();
            app.MapPost("/stream", CountAsync).WithResumableUploads();
            app.MapPost("/size-limit", CountAsync).WithMetadata(new RequestSizeLimitAttribute(30_000)).WithResumableUploads();
            app.MapPost("/form", DescribeAsync).DisableAntiforgery().WithResumableUploads();
            app.MapPost("/form-limits", DescribeAsync).DisableAntiforgery().WithMetadata(new RequestFormLimitsAttribute()).WithResumableUploads();
            app.MapPost("/limit", static (HttpContext context) => context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize).WithResumableUploads();
        },
        static options => options.MaxUploadSize = MaxUploadSize,
        static builder =>
        {
            builder.Services.AddRequestDecompression();
            builder.Services.Configure<KestrelServerOptions>(static kestrel => kestrel.Limits.MaxRequestBodySize = ServerLimit);
        });

    private static async Task<string> DescribeAsync(IFormFile file, [FromForm] string text)
    {
        using var reader = new StreamReader(file.OpenReadStream());
        return $"{text.Length} {await reader.ReadToEndAsync()}";
    }

    private static async Task<string> CountAsync(Stream body)
    {
        using var content = new MemoryStream();
        await body.CopyToAsync(content);
        return $"{content.Length}";
    }
}
