using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting;

/// <summary>Interaction with CORS, rate limiting and other middleware of the same app.</summary>
public class MiddlewareInteropTests
{
    private const string Origin = "https://pages.example";

    [Theory]
    [InlineData("/upload", true)]
    [InlineData("/upload", false)]
    [InlineData("/status", true)]
    [InlineData("/status", false)]
    public async Task Preflight_reaches_CORS_middleware_before_or_after_uploads(string path, bool corsFirst)
    {
        await using TestApp app = await StartWithCorsAsync(corsFirst);
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", Origin);
        request.Headers.Add("Access-Control-Request-Method", "DELETE");
        request.Headers.Add("Access-Control-Request-Headers", "content-digest,content-type,repr-digest,x-file-id,x-file-name,x-file-size,x-start-byte");
        using HttpResponseMessage response = await app.Client.SendAsync(request);

        Assert.Equal((204, Origin), ((int)response.StatusCode, response.Header("Access-Control-Allow-Origin")));
        Assert.Contains("DELETE", response.Header("Access-Control-Allow-Methods"), StringComparison.Ordinal);
        foreach (string name in (string[])["Content-Digest", "Content-Type", "Repr-Digest", "X-File-Id", "X-File-Name", "X-File-Size", "X-Start-Byte"])
        {
            Assert.Contains(name, response.Header("Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData(0, 10, 200)]
    [InlineData(5, 10, 409)]
    [InlineData(0, 2000, 413)]
    public async Task Page_of_another_origin_can_read_every_response(long start, int size, int status)
    {
        await using TestApp app = await StartWithCorsAsync(corsFirst: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", start, new byte[5], size, ("Origin", Origin));

        Assert.Equal((status, Origin), ((int)response.StatusCode, response.Header("Access-Control-Allow-Origin")));
        foreach (string name in (string[])["X-Start-Byte", "X-Upload-Complete", "Retry-After"])
        {
            Assert.Contains(name, response.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Rate_limiter_before_uploads_rejects_append_and_keeps_offset()
    {
        bool isOpen = true;
        await using TestApp app = await TestApp.StartAsync(
            services: builder => builder.Services.AddRateLimiter(limits =>
            {
                limits.RejectionStatusCode = 429;
                limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, bool>(_ => RateLimitPartition.Get(isOpen, static open =>
                    new FixedWindowRateLimiter(new FixedWindowRateLimiterOptions { PermitLimit = open ? 1000 : 1, Window = TimeSpan.FromDays(1), AutoReplenishment = false })));
            }),
            before: static app => app.UseRateLimiter(),
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 30);
        isOpen = false;
        using HttpResponseMessage allowed = await app.Client.AppendAsync("f", 10, new byte[5], 30);
        using HttpResponseMessage rejected = await app.Client.AppendAsync("f", 15, new byte[5], 30);
        isOpen = true;

        Assert.Equal((200, 200, 429), ((int)first.StatusCode, (int)allowed.StatusCode, (int)rejected.StatusCode));
        Assert.Equal(15, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData("GET", "/status", null)]
    [InlineData("POST", "/status", null)]
    [InlineData("POST", "/upload/more", "f")]
    [InlineData("PUT", "/uploads", "f")]
    [InlineData("DELETE", "/x/upload", "f")]
    [InlineData("PATCH", "/upload%2f", "f")]
    [InlineData("GET", "/", "f")]
    public async Task Other_requests_reach_next_middleware_unchanged(string method, string path, string? fileId)
    {
        await using TestApp app = await TestApp.StartAsync(
            after: static app => app.Run(static async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                string headers = string.Join(';', context.Request.Headers.Where(static h => h.Key.StartsWith("X-", StringComparison.Ordinal)).Select(static h => $"{h.Key}={h.Value}"));
                await context.Response.WriteAsync($"{context.Request.Method} {context.Request.Path.Value} {headers} {body.Length}");
            }));
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new ByteArrayContent(new byte[1234]) };
        request.Headers.Add("X-Mine", "1");
        if (fileId is not null)
        {
            request.Headers.Add("X-File-Id", fileId);
        }

        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal($"{method} {path.Replace("%2f", "%2F", StringComparison.Ordinal)} {(fileId is null ? "" : "X-File-Id=f;")}X-Mine=1 1234",
            (await response.Content.ReadAsStringAsync()).Replace("%2f", "%2F", StringComparison.Ordinal).Replace("X-Mine=1;X-File-Id=f", "X-File-Id=f;X-Mine=1", StringComparison.Ordinal));
        Assert.Null(response.Header("Set-Cookie"));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(app.Directory, "uploads")));
    }

    [Fact]
    public async Task UseStatusCodePages_does_not_replace_problem_details()
    {
        await using TestApp app = await TestApp.StartAsync(before: static app => app.UseStatusCodePages("text/plain", "a page for {0}"), onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 5, new byte[5], 10);

        Assert.Equal((409, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
    }

    private static Task<TestApp> StartWithCorsAsync(bool corsFirst) => TestApp.StartAsync(
        static options => options.MaxUploadSize = 1000,
        static builder => builder.Services.AddCors(static cors => cors.AddDefaultPolicy(static policy => policy.WithOrigins(Origin).WithResumableUploads())),
        app => _ = corsFirst ? app.UseCors() : app,
        app => _ = corsFirst ? app : app.UseCors(),
        onTestHost: true);
}
