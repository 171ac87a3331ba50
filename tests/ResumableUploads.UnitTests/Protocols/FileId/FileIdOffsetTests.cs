using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Status, offsets, cancellation and restart (docs/protocols/file-id.md#offsets).</summary>
public class FileIdOffsetTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1000);

    [Theory]
    [InlineData("GET", "/status")]
    [InlineData("HEAD", "/status")]
    [InlineData("GET", "/upload")]
    [InlineData("HEAD", "/upload")]
    [InlineData("GET", "/upload/")]
    public async Task Status_returns_offset_as_text_and_header(string method, string path)
    {
        await using TestApp app = await AppAsync();
        foreach (int held in new[] { 0, 400 })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.TryAddWithoutValidation("X-File-Id", "f");
            using HttpResponseMessage response = await app.Client.SendAsync(request);
            Assert.Equal(200, (int)response.StatusCode);
            Assert.Equal((held.ToString(), "false"), (response.Header("X-Start-Byte"), response.Header("X-Upload-Complete")));
            Assert.Equal(("text/plain", "no-store"), (response.Header("Content-Type"), response.Header("Cache-Control")));
            Assert.Equal(method == "GET" ? held.ToString() : "", await response.Content.ReadAsStringAsync());
            Assert.Equal(held.ToString().Length, response.Content.Headers.ContentLength);
            (await app.Client.AppendAsync("f", held, File[..400], 1000)).Dispose();
        }
    }

    [Theory]
    [InlineData(false, "POST")]
    [InlineData(false, "PUT")]
    [InlineData(false, "PATCH")]
    [InlineData(true, "POST")]
    public async Task Append_at_current_offset_is_stored(bool inMemory, string method)
    {
        await using TestApp app = await AppAsync(inMemory);
        for (int at = 0; at < 1000; at += 250)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/upload") { Content = new ByteArrayContent(File[at..(at + 250)]) };
            request.Headers.TryAddWithoutValidation("X-File-Id", "f");
            request.Headers.TryAddWithoutValidation("X-File-Size", "1000");
            if (at > 0)
            {
                request.Headers.TryAddWithoutValidation("X-Start-Byte", at.ToString());
            }

            await app.Client.SendAsync(request).ShouldHaveOffsetAsync(at + 250, complete: at == 750);
        }

        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_at_wrong_offset_returns_409_and_changes_nothing(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..400], 1000).ShouldHaveOffsetAsync(400);
        foreach (long wrong in new long[] { 0, 1, 399, 401, 1000 })
        {
            await app.Client.AppendAsync("f", wrong, File[..(int)Math.Min(5, 1000 - wrong)], 1000).ShouldBeProblemAsync(409, OffsetMismatch, 400);
            await app.Client.AppendAsync("f", wrong, Chunked([1, 2]), 1000).ShouldBeProblemAsync(409, OffsetMismatch, 400);
            await app.Client.AppendAsync("f", wrong, [], 1000).ShouldBeProblemAsync(409, OffsetMismatch, 400);
        }

        Assert.Equal(400, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 400, File[400..], 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Conflict_409_repeats_provided_offset()
    {
        await using TestApp app = await AppAsync();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 7, [1]);
        Assert.Contains("\"provided-offset\":7", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("0", response.Header("X-Start-Byte"));
    }

    [Fact]
    public async Task Unknown_upload_can_only_start_at_0()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 1, File[1..]).ShouldBeProblemAsync(409, OffsetMismatch, 0);
        await app.Client.AppendAsync("f", long.MaxValue, []).ShouldBeProblemAsync(413, Own + "too-large");
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        Assert.Empty(app.StoredFiles);
    }

    [Fact]
    public async Task DELETE_allows_a_new_upload()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, [9, 9, 9], 1000).ShouldHaveOffsetAsync(3);
        using (HttpResponseMessage gone = await app.Client.DeleteUploadAsync("f"))
        {
            Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        }

        Assert.Equal(0, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 0, File, 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Second_DELETE_returns_the_same_response(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory);
        await app.Client.AppendAsync("f", 0, File[..5], 1000).ShouldHaveOffsetAsync(5);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.DeleteUploadAsync("f");
            Assert.Equal((204, "", "no-store"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Header("Cache-Control")));
        }

        Assert.Empty(app.StoredFiles);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RestartOnZero_restarts_append_at_0_with_a_body(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, static options => options.FileId.RestartOnZero = true);
        await app.Client.AppendAsync("f", 0, [9, 9, 9], 500).ShouldHaveOffsetAsync(3);
        await app.Client.AppendAsync("f", 0, [], 500).ShouldBeProblemAsync(409, OffsetMismatch, 3);
        await app.Client.AppendAsync("f", 1, [9], 500).ShouldBeProblemAsync(409, OffsetMismatch, 3);
        await app.Client.AppendAsync("f", 0, File[..10], 1000).ShouldHaveOffsetAsync(10);
        await app.Client.AppendAsync("f", 10, File[10..], 1000).ShouldHaveOffsetAsync(1000, complete: true);
        await app.Client.AppendAsync("f", 0, File, 1000).ShouldHaveOffsetAsync(1000, complete: true);
        Assert.All(app.Finished, static finished => Assert.Equal(File, finished.Content));
        Assert.Equal(2, app.Finished.Count);
    }

    [Fact]
    public async Task RestartOnZero_with_invalid_request_keeps_existing_bytes()
    {
        await using TestApp app = await AppAsync(configure: static options => options.FileId.RestartOnZero = true);
        await app.Client.AppendAsync("f", 0, [1, 2, 3], 500).ShouldHaveOffsetAsync(3);
        await app.Client.AppendAsync("f", 0, new byte[11], 10).ShouldBeProblemAsync(413, Own + "upload-length-exceeded");
        Assert.Equal(3, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Same_id_of_two_owners_is_two_uploads()
    {
        await using TestApp app = await AppAsync(configure: static options => options.Owner = static context => context.Request.Headers["X-User"]);
        await app.Client.AppendAsync("f", 0, [1], 10, ("X-User", "a")).ShouldHaveOffsetAsync(1);
        await app.Client.AppendAsync("f", 0, [1, 2], 10, ("X-User", "b")).ShouldHaveOffsetAsync(2);
        await app.Client.AppendAsync("f", 1, [2], 10, ("X-User", "a")).ShouldHaveOffsetAsync(2);
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }
}
