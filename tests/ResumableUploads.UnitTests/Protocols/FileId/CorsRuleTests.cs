using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Rule F-11: what a page of another site may send and see.</summary>
public class CorsRuleTests
{
    [Fact]
    public async Task F11_a_preflight_allows_what_the_protocol_sends()
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

    [Theory]
    [InlineData("/status", "f", 200)]
    [InlineData("/upload", "f", 200)]
    [InlineData("/upload", null, 400)]
    public async Task F11_answers_and_errors_expose_their_headers(string path, string? id, int status)
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
        Exposes(response);
    }

    [Fact]
    public async Task F11_a_409_can_be_read_by_a_page_of_another_site()
    {
        await using TestApp app = await AppAsync();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 7, [1], null, ("Origin", "https://other.example"));
        Assert.Equal((409, "0"), ((int)response.StatusCode, response.Header("X-Start-Byte")));
        Exposes(response);
    }

    [Fact]
    public async Task OPTIONS_that_is_no_preflight_says_which_methods_there_are()
    {
        await using TestApp app = await AppAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/upload");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal((200, "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"), ((int)response.StatusCode, response.Header("Allow")!.Replace(" ", "", StringComparison.Ordinal)));
    }

    private static void Exposes(HttpResponseMessage response)
    {
        Assert.Equal("https://other.example", response.Header("Access-Control-Allow-Origin"));
        string[] exposed = response.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries);
        Assert.Superset(new HashSet<string> { "Retry-After", "X-Start-Byte", "X-Upload-Complete" }, exposed.ToHashSet());
    }

    private static Task<TestApp> AppAsync() => TestApp.StartAsync(
        services: static builder => builder.Services.AddCors(static cors =>
            cors.AddDefaultPolicy(static policy => policy.WithOrigins("https://other.example").WithResumableUploads())),
        before: static app => app.UseCors(),
        onTestHost: true);
}
