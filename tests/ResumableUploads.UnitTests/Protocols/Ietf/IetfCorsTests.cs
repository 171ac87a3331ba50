using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.UnitTests.Protocols.Ietf;

/// <summary>Requests of the draft from another origin to an endpoint with its own CORS policy.</summary>
public class IetfCorsTests
{
    private const string Page = "https://pages.example";

    [Theory]
    [InlineData("POST", false, "upload-complete,upload-draft-interop-version,upload-length,content-disposition")]
    [InlineData("POST", false, "upload-incomplete,upload-draft-interop-version")]
    [InlineData("PATCH", true, "content-type,upload-complete,upload-draft-interop-version,upload-offset,content-digest,repr-digest,want-repr-digest")]
    [InlineData("HEAD", true, "upload-draft-interop-version")]
    [InlineData("DELETE", true, "upload-draft-interop-version")]
    public async Task Preflight_allows_every_request_of_the_draft(string method, bool toUpload, string headers)
    {
        await using TestApp app = await StartAsync();
        string url = toUpload ? await app.Client.BeginAsync() : IetfApp.Url;
        using HttpResponseMessage preflight = await app.Client.IetfAsync(
            "OPTIONS", url, null, null, ("Origin", Page), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers));
        Assert.Equal((204, Page), ((int)preflight.StatusCode, preflight.Header("Access-Control-Allow-Origin")));
        Assert.Superset(headers.Split(',').ToHashSet(), preflight.Header("Access-Control-Allow-Headers")!.ToLowerInvariant().Split(',').ToHashSet());
        using HttpResponseMessage stranger = await app.Client.IetfAsync(
            "OPTIONS", url, null, null, ("Origin", "https://bad.example"), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers));
        Assert.Null(stranger.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Responses_expose_their_headers()
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage created = await app.Client.CreateAsync(false, [], Newest, ("Origin", Page));
        Assert.Equal((201, Page), ((int)created.StatusCode, created.Header("Access-Control-Allow-Origin")));
        Assert.Superset(
            new HashSet<string> { "Location", "Upload-Offset", "Upload-Complete", "Upload-Incomplete", "Upload-Length", "Upload-Limit", "Repr-Digest", "Retry-After" },
            created.Header("Access-Control-Expose-Headers")!.Split(',').ToHashSet());
    }

    private static Task<TestApp> StartAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.UseCors();
            app.MapPost(IetfApp.Url, static (Stream body) => "done").WithResumableUploads().RequireCors("pages");
        },
        services: static builder => builder.Services.AddCors(static cors => cors.AddPolicy("pages", static policy => policy.WithOrigins(Page).WithResumableUploads())),
        onTestHost: true);
}
