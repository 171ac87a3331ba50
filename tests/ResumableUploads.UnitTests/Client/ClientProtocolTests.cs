using ResumableUploads.Client;
using ResumableUploads.Client.Protocols;

namespace ResumableUploads.UnitTests.Client;

public class ClientProtocolTests
{
    private static readonly UploadDescription Description = new(ClientResponses.Endpoint, HttpMethod.Put, "ä b.txt", "text/plain", 10, new Dictionary<string, string> { ["key"] = "value" });

    [Theory]
    [InlineData("X-Upload-Complete: true", 200, StepKind.Complete)]
    [InlineData("X-Upload-Complete: true", 422, StepKind.Complete)]
    [InlineData("X-Upload-Complete: false\nX-Start-Byte: 5", 200, StepKind.AtOffset)]
    [InlineData("X-Upload-Complete: false", 200, StepKind.Failed)]
    [InlineData("X-Upload-Complete: false", 503, StepKind.Retry)]
    [InlineData("X-Start-Byte: 5", 200, StepKind.Failed)]
    [InlineData("", 200, StepKind.Failed)]
    public void File_id_append_needs_the_headers_of_the_protocol(string headers, int status, object kind) =>
        Assert.Equal((StepKind)kind, new FileIdProtocol().ReadAppend(ClientResponses.Create(status, headers), new Append(0, 10, true, 10)).Kind);

    [Fact]
    public void File_id_error_about_a_complete_upload_is_no_response_of_the_app()
    {
        Step step = new FileIdProtocol().ReadAppend(ClientResponses.Create(409, "X-Upload-Complete: true", "different-content"), new Append(0, 10, true, 10));
        Assert.Equal(UploadFailureReason.DifferentContent, step.Reason);
    }

    [Theory]
    [InlineData("Tus-Resumable: 1.0.0\nUpload-Offset: 10", 204, true, StepKind.Complete)]
    [InlineData("Tus-Resumable: 1.0.0\nUpload-Offset: 10", 204, false, StepKind.AtOffset)]
    [InlineData("Tus-Resumable: 1.0.0\nUpload-Offset: 9", 204, true, StepKind.AtOffset)]
    [InlineData("Tus-Resumable: 1.0.0", 204, true, StepKind.Failed)]
    [InlineData("Upload-Offset: 10", 200, true, StepKind.Failed)]
    public void Tus_append_needs_the_headers_of_the_protocol(string headers, int status, bool isLast, object kind) =>
        Assert.Equal((StepKind)kind, new TusProtocol(false).ReadAppend(ClientResponses.Create(status, headers), new Append(0, 10, isLast, 10)).Kind);

    [Theory]
    [InlineData("Tus-Resumable: 1.0.0", StepKind.Gone)]
    [InlineData("", StepKind.Failed)]
    public void Tus_403_of_the_protocol_means_that_the_upload_is_gone(string headers, object kind) =>
        Assert.Equal((StepKind)kind, new TusProtocol(false).ReadStatus(ClientResponses.Create(403, headers)).Kind);

    [Theory]
    [InlineData("Upload-Complete: ?1", 201, StepKind.Complete)]
    [InlineData("Upload-Complete: ?1", 422, StepKind.Complete)]
    [InlineData("Upload-Complete: ?1", 503, StepKind.Retry)]
    [InlineData("Upload-Complete: ?0\nUpload-Offset: 5", 204, StepKind.AtOffset)]
    [InlineData("Upload-Complete: ?0", 204, StepKind.AtOffset)]
    [InlineData("Upload-Offset: 5", 204, StepKind.AtOffset)]
    [InlineData("", 200, StepKind.Failed)]
    public void Ietf_append_needs_the_headers_of_the_protocol(string headers, int status, object kind) =>
        Assert.Equal((StepKind)kind, new IetfProtocol(false).ReadAppend(ClientResponses.Create(status, headers), new Append(0, 10, true, 10)).Kind);

    [Theory]
    [InlineData("/upload/1", "https://example.com/upload/1")]
    [InlineData("upload/1", "https://example.com/upload/1")]
    [InlineData("https://example.com/upload/1", "https://example.com/upload/1")]
    [InlineData("http://example.com/upload/1", "https://example.com/upload/1")]
    [InlineData("http://example.com:8080/upload/1", null)]
    [InlineData("https://example.com:8443/upload/1", null)]
    [InlineData("https://other.example.com/upload/1", null)]
    [InlineData("http://other.example.com/upload/1", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("//other/x", null)]
    public void Location_must_have_the_host_of_the_endpoint(string location, string? expected)
    {
        Step step = UploadLocation.Read(ClientResponses.Create(201, $"Location: {location}"), allowsOtherHosts: false, 0);
        Assert.Equal(expected is null ? null : new Uri(expected), step.Location);
        Assert.Equal(expected is null ? StepKind.Failed : StepKind.Created, step.Kind);
    }

    [Theory]
    [InlineData("https://example.com/upload", "https://other.example.com/", "https://other.example.com/1", null)]
    [InlineData("https://example.com/upload", "https://other.example.com/", "/1", null)]
    [InlineData("https://example.com/upload", "https://example.com:8443/", "/1", null)]
    [InlineData("https://example.com/upload", "https://other.example.com/", "https://example.com/1", "https://example.com/1")]
    [InlineData("https://example.com/upload", "https://example.com/v2/upload", "1", "https://example.com/v2/1")]
    [InlineData("http://example.com/upload", "https://example.com/upload", "/1", "https://example.com/1")]
    [InlineData("http://example.com/upload", "https://example.com:8443/upload", "/1", null)]
    public void Location_after_a_redirect_must_have_the_host_of_the_endpoint(string endpoint, string redirect, string location, string? expected)
    {
        var headers = new Dictionary<string, IReadOnlyList<string>> { ["Location"] = [location] };
        var response = new ServerResponse(201, headers, ReadOnlyMemory<byte>.Empty, new Uri(endpoint)) { Uri = new Uri(redirect) };
        Assert.Equal(expected is null ? null : new Uri(expected), UploadLocation.Read(response, allowsOtherHosts: false, 0).Location);
    }

    [Fact]
    public void Location_may_have_another_host_if_that_is_allowed() =>
        Assert.Equal(new Uri("https://other/1"), UploadLocation.Read(ClientResponses.Create(201, "Location: https://other/1"), allowsOtherHosts: true, 0).Location);

    [Fact]
    public void File_id_request_with_unknown_length_has_a_range_without_size()
    {
        using HttpRequestMessage request = new FileIdProtocol().CreateAppend(
            new UploadReference(UploadProtocol.FileId, ClientResponses.Endpoint, "id"), Description, new Append(5, 5, false, null), new ByteArrayContent(new byte[5]));
        Assert.Equal("bytes 5-9/*", request.Content!.Headers.ContentRange!.ToString());
        Assert.False(request.Headers.Contains("X-File-Size"));
        Assert.Equal("%C3%A4%20b.txt", Assert.Single(request.Headers.GetValues("X-File-Name")));
        Assert.Equal(HttpMethod.Put, request.Method);
    }

    [Fact]
    public void Tus_creation_has_length_and_metadata()
    {
        using HttpRequestMessage request = new TusProtocol(false).CreateCreation(Description);
        Assert.Equal(HttpMethod.Post, request.Method);
        Assert.Equal("10", Assert.Single(request.Headers.GetValues("Upload-Length")));
        Assert.Equal("key dmFsdWU=,filename w6QgYi50eHQ=,filetype dGV4dC9wbGFpbg==", string.Join(',', request.Headers.GetValues("Upload-Metadata")));
        using HttpRequestMessage deferred = new TusProtocol(false).CreateCreation(Description with { Length = null });
        Assert.Equal("1", Assert.Single(deferred.Headers.GetValues("Upload-Defer-Length")));
        Assert.False(deferred.Headers.Contains("Upload-Length"));
    }

    [Fact]
    public void Tus_server_without_deferred_length_requires_the_length()
    {
        ServerResponse response = ClientResponses.Create(204, "Tus-Extension: creation, expiration");
        Assert.Equal(UploadFailureReason.NotSupported, new TusProtocol(false).ReadDiscovery(response, Description with { Length = null })?.Reason);
        Assert.Null(new TusProtocol(false).ReadDiscovery(response, Description));
        Assert.Null(new TusProtocol(false).ReadDiscovery(ClientResponses.Create(204, "Tus-Extension: creation,creation-defer-length"), Description with { Length = null }));
    }

    [Theory]
    [InlineData("Upload-Limit: max-size=10, max-append-size=5, min-append-size=2, other=x", 10L, 5L, 2L)]
    [InlineData("Upload-Limit: max-size=10\nUpload-Limit: max-append-size=5", 10L, 5L, null)]
    [InlineData("Tus-Max-Size: 10", 10L, null, null)]
    [InlineData("Upload-Limit: max-size=-1, max-append-size=1.5", null, null, null)]
    [InlineData("", null, null, null)]
    public void Limits_are_read_from_headers(string headers, long? maxSize, long? maxAppendSize, long? minAppendSize) =>
        Assert.Equal(new UploadLimits(maxSize, maxAppendSize, minAppendSize), UploadLimits.Read(ClientResponses.Create(200, headers)));
}
