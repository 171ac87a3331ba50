using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>Content that an endpoint binds by reading all of it into memory keeps the server's limit for a request body.</summary>
public class BufferedContentLimitTests
{
    private const int ServerLimit = 1000;

    public static TheoryData<string, string> ProtocolsAndTypes()
    {
        var rows = new TheoryData<string, string>();
        foreach (string protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf })
        {
            foreach (string type in new[]
            {
                "application/json", "text/json; charset=utf-8", "application/problem+json", "application/xml", "text/xml", "application/atom+xml", "application/x-www-form-urlencoded",
                "application/json,x", "application/json x",
            })
            {
                rows.Add(protocol, type);
            }
        }

        return rows;
    }

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Theory]
    [MemberData(nameof(ProtocolsAndTypes))]
    public async Task Buffered_content_above_server_limit_returns_413(string protocol, string type)
    {
        await using TestApp app = await StartAsync();
        await BeginAsync(app, protocol, "/any", type, ServerLimit + 1).AssertProblemAsync(413, "too-large");
        using HttpResponseMessage allowed = await BeginAsync(app, protocol, "/any", type, ServerLimit);
        Assert.True(allowed.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("application/octet-stream")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("video/mp4")]
    public async Task Other_content_is_not_limited(string type)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage allowed = await BeginAsync(app, ProtocolClient.FileId, "/any", type, ServerLimit + 1);
        Assert.Equal(200, (int)allowed.StatusCode);
    }

    [Theory]
    [InlineData("/own-size")]
    [InlineData("/named-size")]
    [InlineData("/size-limit")]
    [InlineData("/attribute")]
    public async Task Endpoint_with_own_limit_is_not_limited(string path)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage allowed = await BeginAsync(app, ProtocolClient.FileId, path, "application/json", ServerLimit + 1);
        Assert.Equal(200, (int)allowed.StatusCode);
    }

    [Theory]
    [InlineData("/mvc/parameter", "text/plain")]
    [InlineData("/mvc/parameter", "application/x-protobuf")]
    [InlineData("/mvc/parameter", null)]
    public async Task Body_parameter_of_any_type_is_limited(string path, string? type)
    {
        await using TestApp app = await StartAsync();
        await app.Client.SendFileIdAsync("POST", path, [1], [("X-File-Size", $"{ServerLimit + 1}"), .. TypeHeader(type)]).AssertProblemAsync(413, "too-large");
        using HttpResponseMessage allowed = await app.Client.SendFileIdAsync("POST", path, [1], [("X-File-Size", $"{ServerLimit}"), .. TypeHeader(type)]);
        Assert.Equal(200, (int)allowed.StatusCode);
    }

    [Theory]
    [InlineData("/mvc/stream", "text/plain")]
    [InlineData("/mvc/no-parameter", "text/plain")]
    [InlineData("/mvc/own-size", "application/json")]
    public async Task Action_that_is_not_bound_by_reading_its_body_is_not_limited(string path, string type)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage allowed = await BeginAsync(app, ProtocolClient.FileId, path, type, ServerLimit + 1);
        Assert.Equal(200, (int)allowed.StatusCode);
    }

    [Fact]
    public async Task Size_declared_after_creation_is_limited()
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage created = await app.Client.TusAsync("POST", "/any", null, ("Upload-Defer-Length", "1"), FileType("application/json"));
        string url = created.Header("Location")!;
        await app.Client.AppendChunkAsync(url, 0, [1], ("Upload-Length", $"{ServerLimit + 1}")).AssertProblemAsync(413, "too-large");
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        await app.Client.AppendChunkAsync(url, 0, new byte[ServerLimit + 1]).AssertProblemAsync(413, "too-large");
        Assert.Equal(0, await app.Client.OffsetAsync(url));
    }

    [Fact]
    public async Task Chunk_with_other_content_type_does_not_raise_the_limit()
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage created = await app.Client.SendFileIdAsync("POST", "/unsized", [1], ("Content-Type", "application/json"));
        Assert.Equal("1", created.Header("X-Start-Byte"));
        await app.Client.SendFileIdAsync("POST", "/unsized", new byte[ServerLimit], ("X-Start-Byte", "1"), ("Content-Type", "application/octet-stream"))
            .AssertProblemAsync(413, "too-large");
    }

    [Fact]
    public async Task Limit_header_of_the_draft_is_that_of_the_content()
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage created = await BeginAsync(app, ProtocolClient.Ietf, "/any", "application/json", 10);
        Assert.Contains($"max-size={ServerLimit},", created.Header("Upload-Limit"), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> BeginAsync(TestApp app, string protocol, string path, string type, long length) =>
        app.Client.SendFirstAsync(protocol, path, [1], length, protocol == ProtocolClient.Tus ? FileType(type) : ("Content-Type", type));

    private static (string Name, string Value)[] TypeHeader(string? type) => type is null ? [] : [("Content-Type", type)];

    private static (string, string) FileType(string type) => ("Upload-Metadata", "filetype " + Convert.ToBase64String(Encoding.ASCII.GetBytes(type)));

    private static Task<TestApp> StartAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.MapPost("/any", static () => "done").WithResumableUploads();
            app.MapPost("/unsized", static () => "done").WithResumableUploads(static options => options.FileId.CompleteOnFullBody = false);
            app.MapPost("/own-size", static () => "done").WithResumableUploads(static options => options.MaxUploadSize = 5000);
            app.MapPost("/named-size", static () => "done").WithResumableUploads("large");
            app.MapPost("/size-limit", static () => "done").WithMetadata(new RequestSizeLimitAttribute(5000)).WithResumableUploads();
            app.MapPost("/attribute", [ResumableUpload(MaxUploadSize = 5000)] static () => "done");
            app.MapControllers();
        },
        services: static builder =>
        {
            builder.Services.AddResumableUploads("large", options =>
            {
                options.Directory = builder.Environment.ContentRootPath;
                options.MaxUploadSize = 5000;
            });
            builder.Services.Configure<KestrelServerOptions>(static kestrel => kestrel.Limits.MaxRequestBodySize = ServerLimit);
            builder.Services.AddControllers().OnlyControllers(typeof(BodyParameterController));
        });
}

public sealed class BodyParameterController : ControllerBase
{
    [HttpPost("/mvc/parameter"), ResumableUpload]
    public string Parameter([FromBody] string text) => text;

    [HttpPost("/mvc/own-size"), ResumableUpload(MaxUploadSize = 5000)]
    public string OwnSize([FromBody] string text) => text;

    [HttpPost("/mvc/stream"), ResumableUpload]
    public long Stream([FromBody] Stream content) => content.Length;

    [HttpPost("/mvc/no-parameter"), ResumableUpload]
    public string NoParameter() => "done";
}
