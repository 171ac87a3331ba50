using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Requests from another origin (docs/protocols/file-id.md#cross-origin-requests).</summary>
public class FileIdCorsTests
{
    [Fact]
    public async Task Preflight_allows_methods_and_headers_of_the_protocol()
    {
        await using TestApp app = await AppAsync();
        foreach (string method in new[] { "GET", "POST", "PUT", "PATCH", "DELETE" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, "/upload");
            request.Headers.Add("Origin", "https://other.example");
            request.Headers.Add("Access-Control-Request-Method", method);
            request.Headers.Add("Access-Control-Request-Headers", "content-type,x-file-id,x-start-byte,x-file-size,x-file-name,content-digest,repr-digest");
            using HttpResponseMessage response = await app.Client.SendAsync(request);
            Assert.Equal((204, "https://other.example"), ((int)response.StatusCode, response.Header("Access-Control-Allow-Origin")));
            Assert.Contains(method, response.Header("Access-Control-Allow-Methods")!.Split(','));
            string[] allowed = response.Header("Access-Control-Allow-Headers")!.Split(',', StringSplitOptions.TrimEntries);
            foreach (string header in new[] { "X-File-Id", "X-Start-Byte", "X-File-Size", "X-File-Name", "Content-Type", "Content-Digest", "Repr-Digest" })
            {
                Assert.Contains(header, allowed, StringComparer.OrdinalIgnoreCase);
            }
        }
    }

    [Fact]
    public async Task Preflight_is_kept_for_a_day_and_names_each_header_once()
    {
        await using TestApp app = await AppAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/upload");
        request.Headers.Add("Origin", "https://other.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-range,prefer");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal("86400", response.Header("Access-Control-Max-Age"));
        string[] allowed = response.Header("Access-Control-Allow-Headers")!.Split(',', StringSplitOptions.TrimEntries);
        Assert.Equal(allowed.Distinct(StringComparer.OrdinalIgnoreCase), allowed);
        Assert.Superset(new HashSet<string>(["content-range", "prefer"]), allowed.Select(static name => name.ToLowerInvariant()).ToHashSet());
        using var actual = new HttpRequestMessage(HttpMethod.Get, "/upload");
        actual.Headers.Add("Origin", "https://other.example");
        using HttpResponseMessage status = await app.Client.SendAsync(actual);
        string[] exposed = status.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries);
        Assert.Equal(exposed.Distinct(StringComparer.OrdinalIgnoreCase), exposed);
    }

    [Theory]
    [InlineData("/status", "f", 200)]
    [InlineData("/upload", "f", 200)]
    [InlineData("/upload", null, 400)]
    public async Task Responses_and_errors_expose_their_headers(string path, string? id, int status)
    {
        await using TestApp app = await AppAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Origin", "https://other.example");
        if (id is not null)
        {
            request.Headers.Add("X-File-Id", id);
        }

        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        AssertExposesHeaders(response);
    }

    [Fact]
    public async Task Conflict_409_is_readable_from_another_origin()
    {
        await using TestApp app = await AppAsync();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 7, [1], null, ("Origin", "https://other.example"));
        Assert.Equal((409, "0"), ((int)response.StatusCode, response.Header("X-Start-Byte")));
        AssertExposesHeaders(response);
    }

    [Fact]
    public async Task OPTIONS_without_preflight_returns_allowed_methods()
    {
        await using TestApp app = await AppAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/upload");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal((200, "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"), ((int)response.StatusCode, response.Header("Allow")!.Replace(" ", "", StringComparison.Ordinal)));
    }

    private static void AssertExposesHeaders(HttpResponseMessage response)
    {
        Assert.Equal("https://other.example", response.Header("Access-Control-Allow-Origin"));
        string[] exposed = response.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries);
        Assert.Superset(new HashSet<string> { "Retry-After", "X-Start-Byte", "X-Upload-Complete", "X-Upload-Replayed" }, exposed.ToHashSet());
    }

    private static Task<TestApp> AppAsync() => TestApp.StartAsync(
        services: static builder => builder.Services.AddCors(static cors =>
            cors.AddDefaultPolicy(static policy => policy.WithOrigins("https://other.example").WithResumableUploads())),
        before: static app => app.UseCors(),
        onTestHost: true);
}
