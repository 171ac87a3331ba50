using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>The CORS policy of an endpoint applies to its chunks, status requests and cancellations.</summary>
public class EndpointCorsTests
{
    private const string Origin = "https://page.example";
    private static readonly HashSet<string> Exposed = ["X-Start-Byte", "X-Upload-Complete", "Retry-After"];

    [Theory]
    [InlineData("POST", false)]
    [InlineData("GET", false)]
    [InlineData("DELETE", false)]
    [InlineData("POST", true)]
    [InlineData("GET", true)]
    [InlineData("HEAD", true)]
    [InlineData("DELETE", true)]
    public async Task Preflight_for_chunk_uses_policy_of_endpoint(string method, bool choosesPlace)
    {
        await using TestApp app = await AppAsync(choosesPlace);
        foreach ((string path, bool isAllowed) in new[] { ("/x", true), ("/closed", false), ("/x/5", true) })
        {
            using HttpResponseMessage response = await PreflightAsync(app, path, method, "content-type,x-file-id,x-start-byte,x-file-size,x-file-name,repr-digest");
            if (isAllowed)
            {
                Assert.Equal((204, Origin), ((int)response.StatusCode, response.Header("Access-Control-Allow-Origin")));
                Assert.Contains(method, response.Header("Access-Control-Allow-Methods")!.Split(','));
                Assert.Contains("x-file-id", response.Header("Access-Control-Allow-Headers")!, StringComparison.OrdinalIgnoreCase);
            }
            else
            {
                Assert.Null(response.Header("Access-Control-Allow-Origin"));
            }
        }
    }

    [Fact]
    public async Task Preflight_without_upload_headers_reaches_app_endpoint()
    {
        await using TestApp app = await AppAsync(choosesPlace: false);
        using HttpResponseMessage get = await PreflightAsync(app, "/x", "GET", "x-own");
        using HttpResponseMessage post = await PreflightAsync(app, "/x", "POST", "content-type");
        Assert.Equal(("https://page.example", "x-own"), (get.Header("Access-Control-Allow-Origin"), get.Header("Access-Control-Allow-Headers")));
        Assert.Equal(Origin, post.Header("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Responses_and_errors_are_readable_cross_origin(bool choosesPlace)
    {
        await using TestApp app = await AppAsync(choosesPlace);
        await ReadableAsync(app, 200, "POST", "/x", "1234", ("X-File-Size", "8"));
        await ReadableAsync(app, 200, "GET", "/x", null);
        await ReadableAsync(app, 409, "POST", "/x", "1234", ("X-File-Size", "8"), ("X-Start-Byte", "2"));
        await ReadableAsync(app, 400, "POST", "/x", "1234", ("X-Start-Byte", "-2"));
        await ReadableAsync(app, 413, "POST", "/x", "1234", ("X-File-Size", "1000000"), ("X-Start-Byte", "4"));
        await ReadableAsync(app, 201, "POST", "/x", "5678", ("X-File-Size", "8"), ("X-Start-Byte", "4"));
        await ReadableAsync(app, 204, "DELETE", "/x", null);
        await ReadableAsync(app, 401, "POST", "/x/5", "1234");
    }

    private static async Task ReadableAsync(TestApp app, int status, string method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body) };
        request.Headers.Add("Origin", Origin);
        request.Headers.Add("X-File-Id", "f");
        foreach ((string name, string value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal((status, Origin), ((int)response.StatusCode, response.Header("Access-Control-Allow-Origin")));
        Assert.Superset(Exposed, response.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries).ToHashSet());
    }

    private static async Task<HttpResponseMessage> PreflightAsync(TestApp app, string path, string method, string headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", Origin);
        request.Headers.Add("Access-Control-Request-Method", method);
        request.Headers.Add("Access-Control-Request-Headers", headers);
        return await app.Client.SendAsync(request);
    }

    private static Task<TestApp> AppAsync(bool choosesPlace) => EndpointApp.StartAsync(
        app =>
        {
            app.UseRouting();
            app.UseCors();
            app.UseAuthentication();
            app.UseAuthorization();
            if (choosesPlace)
            {
                app.UseResumableUploadEndpoints();
            }

            app.MapPost("/x", static () => Microsoft.AspNetCore.Http.Results.Created("/x/1", "made")).RequireCors("pages").WithResumableUploads();
            app.MapGet("/x", static () => "list").RequireCors("own");
            app.MapPost("/x/{id}", static (string id) => id).RequireCors("pages").RequireAuthorization().WithResumableUploads();
            app.MapPost("/closed", static () => "closed").WithResumableUploads();
        },
        options => options.MaxUploadSize = 100_000,
        builder =>
        {
            HeaderAuthentication.AddTo(builder);
            builder.Services.AddCors(static cors =>
            {
                cors.AddPolicy("pages", static policy => policy.WithOrigins(Origin).WithResumableUploads());
                cors.AddPolicy("own", static policy => policy.WithOrigins(Origin).WithHeaders("x-own"));
            });
        },
        onTestHost: true);
}
