using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>Endpoints that require an antiforgery token, in a header of the first chunk or in a field of the complete form.</summary>
public class AntiforgeryTests
{
    private const string Path = "/form";
    private const string HeaderName = "RequestVerificationToken";
    private const string Parked = "urn:resumable-uploads:parked";

    /// <summary>Where chunks are handled: in the middle of the pipeline, or by the endpoint.</summary>
    public static TheoryData<bool> Places => [false, true];

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Token_in_form_is_validated_once_for_complete_form(bool inTheMiddle)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(inTheMiddle, () => runs++);
        (string cookie, string token) = await TokensAsync(app);
        (byte[] body, string type) = await FormAsync(token);
        using HttpResponseMessage response = await SendAsync(app, body, cookie, type);
        Assert.Equal((HttpStatusCode.OK, "7 bytes of a.txt"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(("true", 1), (response.Header("X-Upload-Complete"), runs));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Form_without_token_dead_letters_upload(bool inTheMiddle)
    {
        int runs = 0;
        var parked = new List<UploadDeadLettered>();
        await using TestApp app = await StartAsync(inTheMiddle, () => runs++, options => options.OnDeadLettered = (upload, _) =>
        {
            parked.Add(upload);
            return Task.CompletedTask;
        });
        (string cookie, string token) = await TokensAsync(app);
        (byte[] body, string type) = await FormAsync(token + "x");
        using HttpResponseMessage refused = await SendAsync(app, body, cookie, type);
        Assert.Equal((HttpStatusCode.BadRequest, "false"), (refused.StatusCode, refused.Header("X-Upload-Complete")));
        Assert.Contains("urn:resumable-uploads:antiforgery", await refused.Content.ReadAsStringAsync());
        Assert.Equal((0, 1), (runs, parked.Count));
        Assert.DoesNotContain(app.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Equal((body.Length, false), (parked[0].Size, parked[0].IsRepeat));

        using HttpResponseMessage again = await AppendChunkAsync(app, body.Length, [], body.Length, cookie, type);
        Assert.Equal(HttpStatusCode.InternalServerError, again.StatusCode);
        Assert.Contains(Parked, await again.Content.ReadAsStringAsync());

        // The client can delete the upload and send it again with a valid token.
        using HttpResponseMessage deleted = await app.Client.DeleteUploadAsync("f", Path);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        (body, type) = await FormAsync(token);
        using HttpResponseMessage right = await SendAsync(app, body, cookie, type);
        Assert.Equal((HttpStatusCode.OK, 1), (right.StatusCode, runs));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Token_in_header_is_validated_at_creation_only(bool inTheMiddle)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(inTheMiddle, () => runs++);
        (string cookie, string token) = await TokensAsync(app);
        (byte[] body, string type) = await FormAsync(null);
        using HttpResponseMessage wrong = await AppendChunkAsync(app, 0, body[..10], body.Length, cookie, type, (HeaderName, token + "x"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(0, await app.Client.StatusAsync("f", Path));

        using HttpResponseMessage first = await AppendChunkAsync(app, 0, body[..10], body.Length, cookie, type, (HeaderName, token));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using HttpResponseMessage last = await AppendChunkAsync(app, 10, body[10..], body.Length, cookie, type);
        Assert.Equal((HttpStatusCode.OK, "7 bytes of a.txt", 1), (last.StatusCode, await last.Content.ReadAsStringAsync(), runs));
    }

    public static TheoryData<bool, string> LastChunks => new(
        from inTheMiddle in (bool[])[false, true]
        from sent in (string[])["cookie and token", "cookie", "token", "invalid cookie and token", "nothing"]
        select new TheoryDataRow<bool, string>(inTheMiddle, sent));

    [Theory]
    [MemberData(nameof(LastChunks))]
    public async Task Valid_token_of_first_chunk_remains_valid_if_cookie_changes(bool inTheMiddle, string sent)
    {
        int runs = 0;
        await using TestApp app = await StartAsync(inTheMiddle, () => runs++);
        (string cookie, string token) = await TokensAsync(app);
        (byte[] body, string type) = await FormAsync(null);
        using HttpResponseMessage first = await AppendChunkAsync(app, 0, body[..10], body.Length, cookie, type, (HeaderName, token));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);

        (string newCookie, string newToken) = await TokensAsync(app);
        Assert.NotEqual(cookie, newCookie);
        (string, string)[] headers = sent switch
        {
            "cookie and token" => [("Cookie", newCookie), (HeaderName, newToken)],
            "cookie" => [("Cookie", $"a=b%20c; {newCookie}")],
            "token" => [(HeaderName, newToken)],
            "invalid cookie and token" => [("Cookie", newCookie + "x"), (HeaderName, newToken + "x")],
            _ => [],
        };
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 10, new ByteArrayContent(body[10..]), body.Length, Path, [("Content-Type", type), .. headers]);
        Assert.Equal((HttpStatusCode.OK, "7 bytes of a.txt", 1), (last.StatusCode, await last.Content.ReadAsStringAsync(), runs));
    }

    [Fact]
    public async Task Handler_sees_its_cookies_and_a_valid_token()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                Map(app, inTheMiddle: false);
                app.MapPost(Path, static async (HttpContext context, IAntiforgery antiforgery) =>
                    $"{await antiforgery.IsRequestValidAsync(context)} {context.Request.Cookies["a"]}")
                    .WithMetadata(new RequireAntiforgeryTokenAttribute()).WithResumableUploads();
            },
            services: static builder => builder.Services.AddAntiforgery());
        (string cookie, string token) = await TokensAsync(app);
        using HttpResponseMessage first = await AppendChunkAsync(app, 0, [1], 2, cookie, "application/octet-stream", (HeaderName, token));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using HttpResponseMessage last = await AppendChunkAsync(app, 1, [2], 2, "a=b%3B%20c", "application/octet-stream");
        Assert.Equal("True b; c", await last.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Endpoint_that_validates_by_itself_sees_the_token_of_the_last_request()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                Map(app, inTheMiddle: false);
                app.MapPost(Path, static async (HttpContext context, IAntiforgery antiforgery) => await antiforgery.IsRequestValidAsync(context)).WithResumableUploads();
            },
            services: static builder => builder.Services.AddAntiforgery());
        (string cookie, string token) = await TokensAsync(app);
        using HttpResponseMessage first = await AppendChunkAsync(app, 0, [1], 2, cookie, "application/octet-stream", (HeaderName, token));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        (cookie, token) = await TokensAsync(app);
        using HttpResponseMessage last = await AppendChunkAsync(app, 1, [2], 2, cookie, "application/octet-stream", (HeaderName, token));
        Assert.Equal("true", await last.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Content_other_than_form_requires_token_in_first_chunk()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                Map(app, inTheMiddle: false);
                app.MapPost(Path, static (Stream body) => "done").WithMetadata(new RequireAntiforgeryTokenAttribute()).WithResumableUploads();
            },
            services: static builder => builder.Services.AddAntiforgery());
        (string cookie, string token) = await TokensAsync(app);
        using HttpResponseMessage without = await AppendChunkAsync(app, 0, [1, 2], 4, cookie, "application/octet-stream");
        Assert.Equal(HttpStatusCode.BadRequest, without.StatusCode);
        Assert.Equal(0, await app.Client.StatusAsync("f", Path));
        using HttpResponseMessage first = await AppendChunkAsync(app, 0, [1, 2], 4, cookie, "application/octet-stream", (HeaderName, token));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using HttpResponseMessage last = await AppendChunkAsync(app, 2, [3, 4], 4, cookie, "application/octet-stream");
        Assert.Equal((HttpStatusCode.OK, "done"), (last.StatusCode, await last.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Plain_form_is_validated_by_framework()
    {
        await using TestApp app = await StartAsync(inTheMiddle: false, static () => { });
        (string cookie, string token) = await TokensAsync(app);
        foreach ((string sent, int status) in ((string, int)[])[(token, 200), (token + "x", 400)])
        {
            (byte[] body, string type) = await FormAsync(sent);
            using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            request.Headers.Add("Cookie", cookie);
            using HttpResponseMessage response = await app.Client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    private static Task<TestApp> StartAsync(bool inTheMiddle, Action ran, Action<ResumableUploadOptions>? configure = null) =>
        EndpointApp.StartAsync(
            app =>
            {
                Map(app, inTheMiddle);
                app.MapPost(Path, ([FromForm] IFormFile file) =>
                {
                    ran();
                    return $"{file.Length} bytes of {file.FileName}";
                }).WithResumableUploads();
            },
            configure,
            static builder => builder.Services.AddAntiforgery());

    private static void Map(WebApplication app, bool inTheMiddle)
    {
        if (inTheMiddle)
        {
            app.UseResumableUploadEndpoints();
        }

        app.UseAntiforgery();
        app.MapGet("/token", static (HttpContext context, IAntiforgery antiforgery) => antiforgery.GetAndStoreTokens(context).RequestToken);
    }

    private static async Task<(string Cookie, string Token)> TokensAsync(TestApp app)
    {
        using HttpResponseMessage response = await app.Client.GetAsync("/token");
        return (response.Header("Set-Cookie")!.Split(';')[0], await response.Content.ReadAsStringAsync());
    }

    private static async Task<(byte[] Body, string ContentType)> FormAsync(string? token)
    {
        using var form = new MultipartFormDataContent { { new StringContent("content"), "file", "a.txt" } };
        if (token is not null)
        {
            form.Add(new StringContent(token), "__RequestVerificationToken");
        }

        return (await form.ReadAsByteArrayAsync(), form.Headers.ContentType!.ToString());
    }

    /// <summary>Sends a body in two chunks.</summary>
    private static async Task<HttpResponseMessage> SendAsync(TestApp app, byte[] body, string cookie, string contentType)
    {
        int half = body.Length / 2;
        using HttpResponseMessage first = await AppendChunkAsync(app, 0, body[..half], body.Length, cookie, contentType);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        return await AppendChunkAsync(app, half, body[half..], body.Length, cookie, contentType);
    }

    private static Task<HttpResponseMessage> AppendChunkAsync(
        TestApp app, long startByte, byte[] body, long size, string cookie, string contentType, params (string, string)[] headers) =>
        app.Client.AppendAsync("f", startByte, new ByteArrayContent(body), size, Path, [("Cookie", cookie), ("Content-Type", contentType), .. headers]);
}
