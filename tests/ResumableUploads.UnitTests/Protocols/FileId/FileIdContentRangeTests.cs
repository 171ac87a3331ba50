using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>The position of a body in <c>Content-Range</c> (docs/protocols/file-id.md#content-range).</summary>
public class FileIdContentRangeTests
{
    private const string Url = "/upload";
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(10);

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task Ranges_with_size_complete_upload(string method)
    {
        await using TestApp app = await AppAsync();
        await SendAsync(app, method, File[..5], ("Content-Range", "bytes 0-4/10")).ShouldHaveOffsetAsync(5);
        await SendAsync(app, method, File[..5], ("Content-Range", "bytes 0-4/10")).ShouldBeProblemAsync(409, ProblemExpectations.OffsetMismatch, 5);
        Assert.Empty(app.Finished);
        await SendAsync(app, method, File[5..], ("Content-Range", "BYTES 5-9/10")).ShouldHaveOffsetAsync(10, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Range_of_unknown_size_does_not_complete_upload()
    {
        await using TestApp app = await AppAsync();
        await SendAsync(app, "PUT", File[..5], ("Content-Range", "bytes 0-4/*")).ShouldHaveOffsetAsync(5);
        await SendAsync(app, "PUT", File[5..], ("Content-Range", "bytes 5-9/*")).ShouldHaveOffsetAsync(10);
        Assert.Empty(app.Finished);
        await SendAsync(app, "PUT", [], ("X-Start-Byte", "10"), ("X-File-Size", "10")).ShouldHaveOffsetAsync(10, complete: true);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Range_and_equal_headers_are_accepted()
    {
        await using TestApp app = await AppAsync();
        await SendAsync(app, "PUT", File[..5], ("Content-Range", "bytes 0-4/*"), ("X-Start-Byte", "0"), ("X-File-Size", "10")).ShouldHaveOffsetAsync(5);
        await SendAsync(app, "PUT", File[5..], ("Content-Range", "bytes 5-9/10"), ("X-Start-Byte", "5"), ("X-File-Size", "10")).ShouldHaveOffsetAsync(10, complete: true);
    }

    [Theory]
    [InlineData("bytes 5-9/10", "X-Start-Byte", "4")]
    [InlineData("bytes 5-9/10", "X-File-Size", "11")]
    [InlineData("bytes 5-8/10", null, null)]
    [InlineData("bytes 5-10/11", null, null)]
    [InlineData("bytes 5-9/9", null, null)]
    [InlineData("bytes 9-5/10", null, null)]
    [InlineData("bytes */10", null, null)]
    [InlineData("bytes */*", null, null)]
    [InlineData("items 5-9/10", null, null)]
    [InlineData("bytes=5-9/10", null, null)]
    [InlineData("bytes 5-9", null, null)]
    [InlineData("bytes -5-9/10", null, null)]
    [InlineData("bytes 0-9223372036854775807/*", null, null)]
    [InlineData("bytes 5-9223372036854775808/*", null, null)]
    [InlineData("bytes 5-9/10, bytes 5-9/10", null, null)]
    public async Task Range_that_is_invalid_or_contradicts_request_returns_400(string range, string? name, string? value)
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..5], 10).ShouldHaveOffsetAsync(5);
        await SendAsync(app, "PUT", File[5..], [("Content-Range", range), .. name is null ? [] : new[] { (name, value!) }])
            .ShouldBeProblemAsync(400, ProblemExpectations.Own + "bad-content-range");
        Assert.Equal(5, await app.Client.StatusAsync("f"));
        Assert.Empty(app.Finished);
    }

    [Theory]
    [InlineData("bytes 0-4/10")]
    [InlineData("bytes 0-4/*")]
    public async Task Chunked_body_beyond_range_keeps_bytes_of_range(string range)
    {
        await using TestApp app = await AppAsync();
        using HttpRequestMessage request = PlainRequest(range);
        request.Content = ProblemExpectations.Chunked(File);
        request.Content.Headers.TryAddWithoutValidation("Content-Range", range);
        request.Headers.Add("X-File-Id", "f");
        await app.Client.SendAsync(request).ShouldBeProblemAsync(400, ProblemExpectations.Own + "bad-content-range", 5);
        Assert.Equal(5, await app.Client.StatusAsync("f"));
        Assert.Empty(app.Finished);
    }

    [Fact]
    public async Task Status_and_cancellation_ignore_range()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File[..5], 10).ShouldHaveOffsetAsync(5);
        await SendAsync(app, "GET", [], ("Content-Range", "bytes 7-9/10")).ShouldHaveOffsetAsync(5);
        using HttpResponseMessage canceled = await SendAsync(app, "DELETE", [], ("Content-Range", "bytes 7-9/10"));
        Assert.Equal(204, (int)canceled.StatusCode);
    }

    [Fact]
    public async Task Endpoint_receives_whole_body_without_range()
    {
        var seen = new List<(byte[] Body, string Range)>();
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPut(Url, async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                seen.Add((body.ToArray(), request.Headers.ContentRange.ToString()));
            }).WithResumableUploads(),
            onTestHost: true);
        await SendAsync(app, "PUT", File[..4], ("Content-Range", "bytes 0-3/10")).ShouldHaveOffsetAsync(4);
        using HttpResponseMessage last = await SendAsync(app, "PUT", File[4..], ("Content-Range", "bytes 4-9/10"));
        Assert.Equal((200, "true"), ((int)last.StatusCode, last.Header("X-Upload-Complete")));
        Assert.Equal(File, Assert.Single(seen).Body);
        Assert.Equal("", seen[0].Range);
        using HttpResponseMessage plain = await app.Client.SendAsync(PlainRequest("bytes 0-4/10"));
        Assert.Equal(File[..5], seen[1].Body);
        Assert.Equal("bytes 0-4/10", seen[1].Range);
    }

    /// <summary>Creates a request with a range and without the headers of a protocol.</summary>
    private static HttpRequestMessage PlainRequest(string range)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, Url) { Content = new ByteArrayContent(File[..5]) };
        request.Content.Headers.TryAddWithoutValidation("Content-Range", range);
        return request;
    }

    private static Task<TestApp> AppAsync() => TestApp.StartAsync(onTestHost: true);

    private static Task<HttpResponseMessage> SendAsync(TestApp app, string method, byte[] body, params (string Name, string Value)[] headers) =>
        app.Client.SendFileIdAsync(method, Url, body, headers);
}
