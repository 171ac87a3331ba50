using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>PATCH: T-20 to T-27. What needs a connection of its own is in the tests of connections.</summary>
public class PatchRuleTests
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
    public async Task T20_a_piece_has_its_content_type_in_any_case_and_with_parameters(string place, string type, int status)
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
    public async Task T20_a_piece_without_a_content_type_is_a_415(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(415, await app.Client.TusAsync("PATCH", url, null, ("Upload-Offset", "0")).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T21_a_wrong_offset_is_a_409_with_the_true_one_and_changes_nothing(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.PieceAsync(url, 0, File[..4]).StatusOfAsync());
        foreach (long offset in new[] { 0, 3, 5, 10, 101, long.MaxValue })
        {
            foreach (byte[] body in new byte[][] { [], [1, 2, 3], new byte[90] })
            {
                using HttpResponseMessage refused = await app.Client.PieceAsync(url, offset, body);
                Assert.Equal((409, "4"), ((int)refused.StatusCode, refused.Header("Upload-Offset")));
            }
        }

        Assert.Equal(400, await app.Client.TusAsync("PATCH", url, [1]).StatusOfAsync());
        Assert.Equal(204, await app.Client.PieceAsync(url, 4, File[4..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T22_a_piece_is_a_204_with_the_new_offset(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        for (int i = 0; i < 10; i++)
        {
            using HttpResponseMessage kept = await app.Client.PieceAsync(url, i, [File[i]]);
            Assert.Equal((204, (i + 1).ToString()), ((int)kept.StatusCode, kept.Header("Upload-Offset")));
        }

        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T23_a_piece_for_an_upload_that_is_not_there_is_a_404_whatever_it_says(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, static options => options.MaxUploadSize = 100);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        string other = url[..^1] + (url[^1] == '0' ? '1' : '0');
        Assert.Equal(404, await app.Client.PieceAsync(other, 0, File).StatusOfAsync());
        Assert.Equal(404, await app.Client.PieceAsync(other, 5, []).StatusOfAsync());
        Assert.Equal(404, await app.Client.PieceAsync(other, 1000, File).StatusOfAsync());
        Assert.Equal(404, await app.Client.PieceAsync(other, 0, File, ("Upload-Length", "10")).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T24_another_path_has_other_uploads(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(404, await app.Client.TusAsync("HEAD", url.Replace("/files", "/other", StringComparison.Ordinal)).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T26_a_body_that_is_too_long_is_a_413_and_none_of_it_is_kept_when_it_was_declared(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        using (HttpResponseMessage refused = await app.Client.PieceAsync(url, 0, new byte[11]))
        {
            Assert.Equal((413, "0"), ((int)refused.StatusCode, refused.Header("Upload-Offset")));
        }

        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.PieceAsync(url, 0, File).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T26_of_a_body_in_chunks_what_fits_is_kept_and_an_empty_piece_finishes_it(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            $"PATCH {url}", "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", "Upload-Offset: 0", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync((byte[])[.. File, 1, 2, 3]);
        await connection.SendChunkAsync(default);
        Assert.Equal(413, (await connection.ReadResponseAsync())?.Status);
        Assert.Equal(10, await app.Client.OffsetAsync(url));
        Assert.Empty(app.Seen);
        Assert.Equal(204, await app.Client.PieceAsync(url, 10, []).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T27_an_empty_piece_at_the_offset_is_a_204(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.PieceAsync(url, 0, []).StatusOfAsync());
        Assert.Equal(204, await app.Client.PieceAsync(url, 0, File[..5]).StatusOfAsync());
        Assert.Equal(204, await app.Client.PieceAsync(url, 5, []).StatusOfAsync());
        Assert.Equal(204, await app.Client.PieceAsync(url, 5, File[5..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T27_after_the_end_an_empty_piece_is_a_204_and_bytes_are_refused(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(204, await app.Client.PieceAsync(url, 0, File).StatusOfAsync());
        Assert.Equal(204, await app.Client.PieceAsync(url, 10, []).StatusOfAsync());
        Assert.Equal(409, await app.Client.PieceAsync(url, 10, [1]).StatusOfAsync());
        Assert.Equal(409, await app.Client.PieceAsync(url, 0, File).StatusOfAsync());
        Assert.Equal(10, await app.Client.OffsetAsync(url));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }
}
