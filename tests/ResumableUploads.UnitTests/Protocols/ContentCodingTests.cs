using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>The coding of request bodies: all chunks of an upload have that of the first.</summary>
public class ContentCodingTests
{
    private const string Url = "/upload";
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(10);

    [Theory]
    [InlineData(ProtocolClient.FileId, "gzip", null)]
    [InlineData(ProtocolClient.FileId, null, "gzip")]
    [InlineData(ProtocolClient.FileId, "gzip", "br")]
    [InlineData(ProtocolClient.FileId, "gzip", "identity")]
    [InlineData(ProtocolClient.FileId, "gzip", "gzip, br")]
    [InlineData(ProtocolClient.Tus, null, "gzip")]
    [InlineData(ProtocolClient.Ietf, "gzip", "br")]
    [InlineData(ProtocolClient.Ietf, null, "gzip")]
    [InlineData(ProtocolClient.Ietf, "gzip", "identity")]
    public async Task Chunk_with_other_coding_returns_415_and_changes_nothing(string protocol, string? first, string? second)
    {
        await using TestApp app = await AppAsync([]);
        string url = await app.Client.BeginAsync(protocol, Url, File[..4], 10, Headers(first));
        await app.Client.FinishAsync(protocol, url, 4, File[4..], Headers(second)).AssertProblemAsync(415, "content-coding");
        Assert.Equal("4", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId, "gzip", "GZip", "gzip")]
    [InlineData(ProtocolClient.FileId, "identity", null, null)]
    [InlineData(ProtocolClient.FileId, null, "Identity", null)]
    [InlineData(ProtocolClient.Tus, null, "identity", null)]
    [InlineData(ProtocolClient.Ietf, "gzip", null, "gzip")]
    [InlineData(ProtocolClient.Ietf, "gzip", "gzip", "gzip")]
    public async Task Event_has_coding_of_chunks(string protocol, string? first, string? second, string? coding)
    {
        var seen = new List<string?>();
        await using TestApp app = await AppAsync(seen);
        string url = await app.Client.BeginAsync(protocol, Url, File[..4], 10, Headers(first));
        using HttpResponseMessage last = await app.Client.FinishAsync(protocol, url, 4, File[4..], Headers(second));
        Assert.True(last.IsSuccessStatusCode);
        Assert.Equal([coding], seen);
    }

    [Fact]
    public async Task Empty_request_for_stored_response_needs_no_coding()
    {
        await using TestApp app = await AppAsync([]);
        using HttpResponseMessage whole = await app.Client.SendFileIdAsync("POST", Url, File, ("Content-Encoding", "gzip"), ("X-File-Size", "10"));
        using HttpResponseMessage repeat = await app.Client.SendFileIdAsync("POST", Url, [], ("X-Start-Byte", "10"));
        Assert.Equal((200, "true"), ((int)repeat.StatusCode, repeat.Header("X-Upload-Replayed")));
    }

    [Fact]
    public async Task Encoded_tus_creation_names_the_accepted_coding()
    {
        await using TestApp app = await AppAsync([]);
        using HttpResponseMessage rejected = await app.Client.SendFirstAsync(ProtocolClient.Tus, Url, File, 10, ("Content-Encoding", "gzip"));
        await rejected.ProblemAsync(415, "urn:resumable-uploads:content-coding");
        Assert.Equal("identity", rejected.Header("Accept-Encoding"));
    }

    [Fact]
    public async Task Endpoint_receives_coding_of_first_chunk()
    {
        var seen = new List<string>();
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost(Url, (HttpRequest request) => seen.Add(request.Headers.ContentEncoding.ToString())).WithResumableUploads(), onTestHost: true);
        string url = await app.Client.BeginAsync(ProtocolClient.FileId, Url, File[..4], 10, ("Content-Encoding", "gzip"));
        await app.Client.FinishAsync(ProtocolClient.FileId, url, 4, File[4..]).AssertProblemAsync(415, "content-coding");
        using HttpResponseMessage last = await app.Client.FinishAsync(ProtocolClient.FileId, url, 4, File[4..], ("Content-Encoding", "gzip"));
        Assert.True(last.IsSuccessStatusCode);
        Assert.Equal(["gzip"], seen);
    }

    private static (string, string)[] Headers(string? coding) => coding is null ? [] : [("Content-Encoding", coding)];

    private static Task<TestApp> AppAsync(List<string?> seen) => TestApp.StartAsync(
        options => options.OnCompleted = (upload, _) =>
        {
            seen.Add(upload.ContentEncoding);
            return Task.CompletedTask;
        },
        onTestHost: true);
}
