using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

/// <summary>A download is for its owner alone, and has the safe name of the file.</summary>
public class DownloadHeaderTests
{
    [Theory]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Download_is_private_and_has_the_safe_name(string protocol)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Mapped, static options => options.AllowDownload = true);
        string url;
        if (protocol == "tus")
        {
            url = await app.Client.CreateAsync(TusApp.Url, 2, ("Upload-Metadata", "filename " + Convert.ToBase64String("../-a<b>.png"u8)));
            using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 0, [1, 2]);
        }
        else
        {
            url = await app.Client.BeginAsync(headers: ("Content-Disposition", "attachment; filename=\"../-a<b>.png\""));
            using HttpResponseMessage last = await app.Client.AppendAsync(url, 0, true, [1, 2]);
        }

        using HttpResponseMessage download = await app.Client.GetAsync(url);
        Assert.Equal((200, 2), ((int)download.StatusCode, (await download.Content.ReadAsByteArrayAsync()).Length));
        string cacheControl = download.Header("Cache-Control")!;
        Assert.True(cacheControl.Contains("no-store", StringComparison.Ordinal) || cacheControl.Contains("private", StringComparison.Ordinal), cacheControl);
        Assert.DoesNotContain("public", cacheControl, StringComparison.Ordinal);
        string disposition = download.Header("Content-Disposition")!;
        Assert.Contains("_-a_b_.png", disposition, StringComparison.Ordinal);
        Assert.DoesNotContain("..", disposition, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Content_that_the_handler_rejected_is_not_downloaded(string protocol)
    {
        await using TusApp app = await TusApp.StartAsync(
            TusApp.Endpoint, static options => options.AllowDownload = true, static _ => new HandlerResponse(422, "malware found"));
        string url = await app.Client.BeginAsync(protocol, TusApp.Url, [1], 2);
        using HttpResponseMessage last = await app.Client.FinishAsync(protocol, url, 1, [2]);
        Assert.Equal(422, (int)last.StatusCode);
        using HttpResponseMessage download = protocol == "tus" ? await app.Client.GetAsync(url) : await app.Client.IetfAsync("GET", url, IetfClient.Newest);
        Assert.Equal((protocol == "tus" ? 404 : 204, null), ((int)download.StatusCode, download.Header("Content-Disposition")));
    }
}
