using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>The values of a multipart form are read into memory, so together they have the server's limit for a request body. Files do not.</summary>
public class FormValueLimitTests
{
    private const int ServerLimit = 10_000;

    public static TheoryData<string, int> PathsAndCounts => new(
        from path in new[] { "/form", "/own-size", "/form-limits", "/mvc/values", "/mvc/limited-values" } from count in new[] { 1, 20 } select (path, count));

    [Theory]
    [MemberData(nameof(PathsAndCounts))]
    public async Task Values_above_server_limit_are_rejected(string path, int count)
    {
        await using TestApp app = await StartAsync();
        ChunkableRequest request = CreateForm(path, count, ServerLimit + 20);
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage chunked = await request.SendInChunksAsync(app.Client, 3, 1);

        // MVC reports a form that it cannot read as 400. With [RequestFormLimits], the form is read before MVC starts.
        int expected = path.StartsWith("/mvc", StringComparison.Ordinal) ? 400 : 413;
        Assert.Equal((expected, path == "/mvc/limited-values" ? 413 : expected), ((int)plain.StatusCode, (int)chunked.StatusCode));
    }

    [Theory]
    [InlineData("/mvc/values")]
    [InlineData("/mvc/limited-values")]
    public async Task Values_above_server_limit_are_rejected_despite_a_global_filter(string path)
    {
        await using TestApp app = await StartAsync(new RequestFormLimitsAttribute { MultipartBodyLengthLimit = 50 * ServerLimit });
        using HttpResponseMessage rejected = await CreateForm(path, 20, ServerLimit + 20).SendInChunksAsync(app.Client, 3, 1);
        using HttpResponseMessage accepted = await CreateForm(path, 20, ServerLimit, fileSize: 3 * ServerLimit).SendInChunksAsync(app.Client, 3, 1, fileId: "accepted");
        Assert.Equal((413, 200), ((int)rejected.StatusCode, (int)accepted.StatusCode));
    }

    [Theory]
    [InlineData(20, 400)]
    [InlineData(21, 200)]
    public async Task Global_filter_limits_the_form(int limit, int status)
    {
        await using TestApp app = await StartAsync(new RequestFormLimitsAttribute { ValueCountLimit = limit });
        ChunkableRequest request = CreateForm("/mvc/values", 20, 200, fileSize: 10);
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage chunked = await request.SendInChunksAsync(app.Client, 3, 1);
        Assert.Equal((status, status), ((int)plain.StatusCode, (int)chunked.StatusCode));
    }

    [Theory]
    [MemberData(nameof(PathsAndCounts))]
    public async Task Values_at_server_limit_and_larger_file_are_accepted(string path, int count)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage response = await CreateForm(path, count, ServerLimit, fileSize: 3 * ServerLimit).SendInChunksAsync(app.Client, 3, 1);
        Assert.Equal((200, $"{count} {ServerLimit} {3 * ServerLimit}"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("/size-limit")]
    [InlineData("/no-size-limit")]
    public async Task Request_size_limit_of_endpoint_applies_to_values(string path)
    {
        await using TestApp app = await StartAsync();
        ChunkableRequest request = CreateForm(path, 20, 2 * ServerLimit);
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage chunked = await request.SendInChunksAsync(app.Client, 3, 1);
        string expected = $"20 {2 * ServerLimit} 0";
        Assert.Equal((expected, expected), (await plain.Content.ReadAsStringAsync(), await chunked.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("no boundary", "multipart/form-data")]
    [InlineData("long boundary", "multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n2\r\n--x--\r\n", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\nContent-Disposition: ;\r\n\r\n1\r\n--x--\r\n", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\nContent-Disposition: attachment\r\n\r\n1\r\n--x--\r\n", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", "multipart/form-data; boundary=x")]
    [InlineData("--x--\r\n", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\u00e9\r\n--x--\r\n", "Multipart/Form-Data; boundary=\"x\"")]
    [InlineData("", "multipart/form-data; boundary=x")]
    public async Task Form_is_read_as_in_a_plain_request(string content, string type)
    {
        await using TestApp app = await StartAsync();
        foreach (string path in new[] { "/text", "/mvc/text" })
        {
            var request = new ChunkableRequest(path, Encoding.Latin1.GetBytes(content), type);
            using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
            using HttpResponseMessage chunked = await request.SendChunkAsync(app.Client, "f", 0, request.Content, request.Content.Length, ChunkFraming.ContentLength);
            Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(chunked, isOurs: true));
        }
    }

    public static TheoryData<string, string, string> PathsAndLimits => new(
        from path in new[] { "/text", "/bound", "/mvc/text" }
        from type in new[] { "multipart/form-data; boundary=x", "application/x-www-form-urlencoded" }
        from limit in new[] { "none", nameof(FormOptions.ValueLengthLimit), nameof(FormOptions.KeyLengthLimit), nameof(FormOptions.ValueCountLimit), nameof(FormOptions.MultipartHeadersLengthLimit), nameof(FormOptions.MultipartHeadersCountLimit) }
        select (path, type, limit));

    [Theory]
    [MemberData(nameof(PathsAndLimits))]
    public async Task Form_limits_of_the_app_apply_as_in_a_plain_request(string path, string type, string limit)
    {
        await using TestApp app = await StartAsync(limits: form =>
        {
            form.ValueLengthLimit = limit == nameof(FormOptions.ValueLengthLimit) ? 9 : 20;
            form.KeyLengthLimit = limit == nameof(FormOptions.KeyLengthLimit) ? 4 : 20;
            form.ValueCountLimit = limit == nameof(FormOptions.ValueCountLimit) ? 1 : 2;
            form.MultipartHeadersLengthLimit = limit == nameof(FormOptions.MultipartHeadersLengthLimit) ? 20 : 100;
            form.MultipartHeadersCountLimit = limit == nameof(FormOptions.MultipartHeadersCountLimit) ? 1 : 2;
        });
        string content = !type.StartsWith("multipart", StringComparison.Ordinal) ? "a=0123456789&other=0123456789"
            : string.Concat(new[] { "a", "other" }.Select(static name => $"--x\r\nContent-Disposition: form-data; name={name}\r\nX-A: b\r\n\r\n0123456789\r\n")) + "--x--\r\n";
        var request = new ChunkableRequest(path, Encoding.ASCII.GetBytes(content), type);
        using HttpResponseMessage plain = await request.SendPlainAsync(app.Client);
        using HttpResponseMessage chunked = await request.SendInChunksAsync(app.Client, 3, 1);
        Assert.True(limit != "none" || plain.IsSuccessStatusCode);
        Assert.Equal(await Reply.OfAsync(plain), await Reply.OfAsync(chunked, isOurs: true));
    }

    /// <summary>Creates a form with values of a total size, and a file.</summary>
    private static ChunkableRequest CreateForm(string path, int count, int valuesSize, int fileSize = 0)
    {
        var form = new StringBuilder();
        for (int i = 0; i < count; i++)
        {
            form.Append("--x\r\nContent-Disposition: form-data; name=\"values\"\r\n\r\n").Append('v', valuesSize / count).Append("\r\n");
        }

        form.Append("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n").Append('f', fileSize).Append("\r\n--x--\r\n");
        return new ChunkableRequest(path, Encoding.ASCII.GetBytes(form.ToString()), "multipart/form-data; boundary=x");
    }

    private static Task<TestApp> StartAsync(RequestFormLimitsAttribute? globalFilter = null, Action<FormOptions>? limits = null) => EndpointApp.StartAsync(
        static app =>
        {
            app.MapPost("/form", DescribeAsync).WithResumableUploads();
            app.MapPost("/own-size", DescribeAsync).WithResumableUploads(static options => options.MaxUploadSize = 100 * ServerLimit);
            app.MapPost("/form-limits", DescribeAsync).WithMetadata(new RequestFormLimitsAttribute { MultipartBodyLengthLimit = 50 * ServerLimit }).WithResumableUploads();
            app.MapPost("/size-limit", DescribeAsync).WithMetadata(new RequestSizeLimitAttribute(5 * ServerLimit)).WithResumableUploads();
            app.MapPost("/no-size-limit", DescribeAsync).WithMetadata(new DisableRequestSizeLimitAttribute()).WithResumableUploads();
            app.MapPost("/bound", static ([FromForm] string? a) => a).DisableAntiforgery().WithResumableUploads();
            app.MapPost("/text", static async (HttpRequest request) =>
            {
                try
                {
                    return Results.Text(FormValueController.Format(await request.ReadFormAsync()));
                }
                catch (Exception e) when (e is InvalidDataException or IOException)
                {
                    return Results.Text($"{e.GetType().Name}: {e.Message}", statusCode: 400);
                }
            }).WithResumableUploads();
            app.MapControllers();
        },
        services: builder =>
        {
            builder.Services.Configure<KestrelServerOptions>(static kestrel => kestrel.Limits.MaxRequestBodySize = ServerLimit);
            builder.Services.Configure<FormOptions>(form => limits?.Invoke(form));
            builder.Services.AddControllers(mvc =>
            {
                if (globalFilter is not null)
                {
                    mvc.Filters.Add(globalFilter);
                }
            }).OnlyControllers(typeof(FormValueController));
        });

    private static async Task<IResult> DescribeAsync(HttpRequest request)
    {
        try
        {
            IFormCollection form = await request.ReadFormAsync();
            return Results.Text($"{form["values"].Count} {form["values"].Sum(static value => value!.Length)} {form.Files["file"]!.Length}");
        }
        catch (BadHttpRequestException e)
        {
            return Results.StatusCode(e.StatusCode);
        }
    }
}

[ApiController]
public sealed class FormValueController : ControllerBase
{
    public static string Format(IFormCollection form) =>
        string.Join(';', form.Select(static value => $"{value.Key}={value.Value}")) + $" {form.Files.Count} files";

    [HttpPost("/mvc/values"), ResumableUpload]
    public string Values([FromForm] string[] values, IFormFile file) => $"{values.Length} {values.Sum(static value => value.Length)} {file.Length}";

    [HttpPost("/mvc/limited-values"), ResumableUpload, RequestFormLimits(MultipartBodyLengthLimit = 1_000_000)]
    public string LimitedValues([FromForm] string[] values, IFormFile file) => $"{values.Length} {values.Sum(static value => value.Length)} {file.Length}";

    [HttpPost("/mvc/text"), ResumableUpload]
    public string Text([FromForm] string? a) => a + Format(Request.Form);
}
