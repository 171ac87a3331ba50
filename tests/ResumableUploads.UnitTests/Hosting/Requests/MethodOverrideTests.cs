using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary>X-HTTP-Method-Override, for clients behind proxies that block PATCH or DELETE (tus 1.0.0, "X-HTTP-Method-Override").</summary>
public class MethodOverrideTests
{
    private const string Header = "X-HTTP-Method-Override";

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Override_header_replaces_POST(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 6);
        using HttpResponseMessage chunk = await app.Client.TusAsync("POST", url, [1, 2, 3], (Header, "PATCH"), ("Upload-Offset", "0"));
        Assert.Equal((204, "3"), ((int)chunk.StatusCode, chunk.Header("Upload-Offset")));
        using HttpResponseMessage head = await app.Client.TusAsync("POST", url, null, (Header, "head"));
        Assert.Equal((200, "3"), ((int)head.StatusCode, head.Header("Upload-Offset")));
        using HttpResponseMessage deleted = await app.Client.TusAsync("POST", url, null, (Header, "DELETE"));
        Assert.Equal(204, (int)deleted.StatusCode);
    }

    [Theory]
    [InlineData("GET", "DELETE")]
    [InlineData("PUT", "DELETE")]
    [InlineData("OPTIONS", "DELETE")]
    [InlineData("PATCH", "DELETE")]
    [InlineData("POST", "BREW")]
    [InlineData("POST", "PATCH, PATCH")]
    [InlineData("POST", "GET")]
    [InlineData("POST", "PUT")]
    public async Task Override_of_other_method_or_by_other_value_is_ignored(string method, string named)
    {
        foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
        {
            await using TusApp app = await TusApp.StartAsync(place);
            string url = await app.Client.CreateAsync(TusApp.Url, 6);
            using HttpResponseMessage plain = await app.Client.TusAsync(method, url, null, ("Upload-Offset", "0"));
            using HttpResponseMessage overridden = await app.Client.TusAsync(method, url, null, (Header, named), ("Upload-Offset", "0"));
            Assert.Equal((plain.StatusCode, plain.Header("Allow")), (overridden.StatusCode, overridden.Header("Allow")));
            Assert.Equal(0, await app.Client.OffsetAsync(url));
        }
    }

    [Fact]
    public async Task Override_without_tus_header_is_ignored()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 6);
        foreach ((string, string) header in new[] { ("Upload-Draft-Interop-Version", "6"), ("X-File-Id", "f") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url);
            request.Headers.Add(header.Item1, header.Item2);
            request.Headers.Add(Header, "DELETE");
            using HttpResponseMessage response = await app.Client.SendAsync(request);
            Assert.NotEqual(204, (int)response.StatusCode);
        }

        Assert.Equal(0, await app.Client.OffsetAsync(url));
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "")]
    [InlineData("POST", "?resumable-upload=0123456789012345678901234567890123456789")]
    public async Task Override_never_reaches_other_endpoints(string method, string query)
    {
        bool isDeleted = false;
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.MapGet("/danger", static () => "read");
                app.MapDelete("/danger", () => isDeleted = true);
                app.MapPost("/files", static () => "posted").WithResumableUploads();
                app.MapDelete("/files", () => isDeleted = true);
            },
            onTestHost: true);
        foreach (string path in new[] { "/danger", "/files" })
        {
            (await app.Client.TusAsync(method, path + query, null, (Header, "DELETE"), ("Upload-Draft-Interop-Version", "6"))).Dispose();
        }

        Assert.False(isDeleted);
    }
}
