using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>A response header that the server cannot send fails where the endpoint sets it, as in a plain request, and is not stored.</summary>
public class RejectedHeaderTests
{
    [Theory]
    [InlineData(Server.Http1, "Location", "/videos/\u00e9")]
    [InlineData(Server.Http2, "Location", "/videos/\u00e9")]
    [InlineData(Server.Http1, "ETag", "a\nb")]
    [InlineData(Server.Http1, "X-Other", "\u0001")]
    public async Task Header_fails_as_in_plain_request_and_is_not_stored(Server server, string name, string value)
    {
        var thrown = new List<Exception?>();
        bool isFixed = false;
        await using TestApp app = await server.StartAsync(app => app.MapPost("/videos", context =>
        {
            Exception? exception = Record.Exception(() => context.Response.Headers[name] = isFixed ? "/videos/1" : value);
            thrown.Add(exception);
            return exception is null ? context.Response.WriteAsync("fine") : throw exception;
        }).WithResumableUploads());

        using HttpResponseMessage plain = await app.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/videos") { Version = app.Client.DefaultRequestVersion, VersionPolicy = app.Client.DefaultVersionPolicy });
        using HttpResponseMessage failed = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, "/videos");
        Assert.Equal(500, (int)plain.StatusCode);
        Assert.True((int)failed.StatusCode >= 500);
        Assert.Equal((2, thrown[0]?.GetType(), thrown[0]?.Message), (thrown.Count, thrown[1]?.GetType(), thrown[1]?.Message));

        isFixed = true;
        using HttpResponseMessage repeated = await app.Client.AppendAsync("f", 1, new ByteArrayContent([]), 1, "/videos");
        Assert.Equal((200, "fine"), ((int)repeated.StatusCode, await repeated.Content.ReadAsStringAsync()));
        Assert.Equal("/videos/1", repeated.Header(name));
    }
}
