using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>PATCH requests (tus 1.0.0, Core, PATCH). Tests that need a connection of their own are in <see cref="TusConnectionTests"/>.</summary>
public class TusPatchTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(10);

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [InlineData("ready-made", "application/octet-stream", 415)]
    [InlineData("mapped", "text/plain", 415)]
    [InlineData("endpoint", "application/json", 415)]
    [InlineData("ready-made", "application/offset+octet-stream-2", 415)]
    [InlineData("ready-made", "Application/Offset+Octet-Stream", 204)]
    [InlineData("endpoint", "application/offset+octet-stream; charset=utf-8", 204)]
    public async Task Content_type_ignores_case_and_parameters(string place, string type, int status)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        using var request = new HttpRequestMessage(HttpMethod.Patch, url) { Content = new ByteArrayContent(File) };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", "0");
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        Assert.Equal(status, await app.Client.SendAsync(request).StatusOfAsync());
        Assert.Equal(status == 204 ? 10 : 0, await app.Client.OffsetAsync(url));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task PATCH_without_content_type_returns_415(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(415, await app.Client.TusAsync("PATCH", url, null, ("Upload-Offset", "0")).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task PATCH_with_wrong_offset_returns_409_and_changes_nothing(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File[..4]).StatusOfAsync());
        foreach (long offset in new[] { 0, 3, 5, 10, 101, long.MaxValue })
        {
            foreach (byte[] body in new byte[][] { [], [1, 2, 3], new byte[90] })
            {
                using HttpResponseMessage rejected = await app.Client.AppendChunkAsync(url, offset, body);
                Assert.Equal((409, "4"), ((int)rejected.StatusCode, rejected.Header("Upload-Offset")));
            }
        }

        Assert.Equal(400, await app.Client.TusAsync("PATCH", url, [1]).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 4, File[4..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task PATCH_returns_204_with_new_offset(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        for (int i = 0; i < 10; i++)
        {
            using HttpResponseMessage appended = await app.Client.AppendChunkAsync(url, i, [File[i]]);
            Assert.Equal((204, (i + 1).ToString()), ((int)appended.StatusCode, appended.Header("Upload-Offset")));
        }

        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task PATCH_of_unknown_upload_returns_404_with_any_headers(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        string other = url[..^1] + (url[^1] == '0' ? '1' : '0');
        Assert.Equal(404, await app.Client.AppendChunkAsync(other, 0, File).StatusOfAsync());
        Assert.Equal(404, await app.Client.AppendChunkAsync(other, 5, []).StatusOfAsync());
        Assert.Equal(404, await app.Client.AppendChunkAsync(other, 1000, File).StatusOfAsync());
        Assert.Equal(404, await app.Client.AppendChunkAsync(other, 0, File, ("Upload-Length", "10")).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_at_another_creation_url_returns_404(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(404, await app.Client.TusAsync("HEAD", url.Replace("/files", "/other", StringComparison.Ordinal)).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Content_Length_beyond_length_returns_413_and_keeps_nothing(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        using (HttpResponseMessage rejected = await app.Client.AppendChunkAsync(url, 0, new byte[11]))
        {
            Assert.Equal((413, "0"), ((int)rejected.StatusCode, rejected.Header("Upload-Offset")));
        }

        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Chunked_body_beyond_length_keeps_what_fits(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            $"PATCH {url}", "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", "Upload-Offset: 0", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync((byte[])[.. File, 1, 2, 3]);
        await connection.SendChunkAsync(default);
        Assert.Equal(413, (await connection.ReadResponseAsync())?.Status);
        Assert.Empty(app.Seen);
        Assert.Equal(10, await app.Client.OffsetAsync(url));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 10, []).StatusOfAsync());
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Empty_PATCH_at_current_offset_returns_204(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, []).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File[..5]).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 5, []).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 5, File[5..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Empty_PATCH_to_complete_upload_returns_204_and_content_409(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 10, []).StatusOfAsync());
        Assert.Equal(409, await app.Client.AppendChunkAsync(url, 10, [1]).StatusOfAsync());
        Assert.Equal(409, await app.Client.AppendChunkAsync(url, 0, File).StatusOfAsync());
        Assert.Equal(10, await app.Client.OffsetAsync(url));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }
}
