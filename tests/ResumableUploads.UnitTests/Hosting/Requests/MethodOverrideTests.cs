using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary>X-HTTP-Method-Override, for clients behind proxies that block PATCH or DELETE (tus 1.0.0, "X-HTTP-Method-Override").</summary>
public class MethodOverrideTests
{
    public static TheoryData<string, string> Rows()
    {
        var rows = new TheoryData<string, string>();
        foreach (string place in (string[])[TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint])
        {
            foreach (string method in (string[])["GET", "POST", "PUT", "OPTIONS"])
            {
                rows.Add(place, method);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Override_header_replaces_method(string place, string method)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 6);
        using HttpResponseMessage chunk = await app.Client.TusAsync(
            method == "GET" ? "POST" : method, url, [1, 2, 3], ("X-HTTP-Method-Override", "PATCH"), ("Upload-Offset", "0"));
        Assert.Equal((204, "3"), ((int)chunk.StatusCode, chunk.Header("Upload-Offset")));
        using HttpResponseMessage head = await app.Client.TusAsync(method, url, null, ("X-HTTP-Method-Override", "head"));
        Assert.Equal((200, "3"), ((int)head.StatusCode, head.Header("Upload-Offset")));
        using HttpResponseMessage deleted = await app.Client.TusAsync(method, url, null, ("X-HTTP-Method-Override", "DELETE"));
        Assert.Equal(204, (int)deleted.StatusCode);
    }

    [Theory]
    [InlineData("BREW")]
    [InlineData("PATCH, PATCH")]
    [InlineData("GET")]
    public async Task Invalid_or_disallowed_override_method_is_rejected(string named)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 6);
        using HttpResponseMessage refused = await app.Client.TusAsync("PATCH", url, [1, 2, 3], ("X-HTTP-Method-Override", named), ("Upload-Offset", "0"));
        Assert.Equal(405, (int)refused.StatusCode);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", url);
        Assert.Equal("0", head.Header("Upload-Offset"));
    }

    [Fact]
    public async Task Override_header_without_upload_protocol_is_ignored()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        using var request = new HttpRequestMessage(HttpMethod.Get, TusApp.Url);
        request.Headers.Add("X-File-Id", "f");
        request.Headers.Add("X-HTTP-Method-Override", "DELETE");
        using HttpResponseMessage status = await app.Client.SendAsync(request);
        Assert.Equal((200, "0"), ((int)status.StatusCode, await status.Content.ReadAsStringAsync()));
    }
}
