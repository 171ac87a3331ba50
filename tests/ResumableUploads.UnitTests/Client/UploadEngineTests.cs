using ResumableUploads.Client;
using ClientState = ResumableUploads.Client.UploadState;
using ClientUploadResponse = ResumableUploads.Client.UploadResponse;

namespace ResumableUploads.UnitTests.Client;

public class UploadEngineTests
{
    private const int Size = 1000;
    private const string Tus = "Tus-Resumable: 1.0.0\n";
    private const string CompleteStatus = Tus + "Upload-Offset: 1000\nUpload-Length: 1000";
    private static readonly Uri UploadUri = new("https://example.com/upload/1");
    private readonly SingleStateStore _store = new() { State = new ClientState(new UploadReference(UploadProtocol.Tus, UploadUri), Size, "") };

    [Theory]
    [InlineData(401, false, UploadFailureReason.SignedOut)]
    [InlineData(403, false, UploadFailureReason.Forbidden)]
    [InlineData(404, false, UploadFailureReason.Gone)]
    [InlineData(302, false, UploadFailureReason.SignedOut)]
    [InlineData(200, false, UploadFailureReason.UnexpectedResponse)]
    [InlineData(200, true, UploadFailureReason.SignedOut)]
    [InlineData(405, true, UploadFailureReason.NotSupported)]
    [InlineData(460, false, UploadFailureReason.DigestMismatch)]
    public async Task Failed_append_to_a_complete_upload_is_no_success(int statusCode, bool isRedirected, UploadFailureReason reason)
    {
        int requests = 0;
        using var handler = new ScriptedHandler((_, _) =>
        {
            if (requests++ == 0)
            {
                return ScriptedHandler.Response(200, CompleteStatus);
            }

            HttpResponseMessage response = ScriptedHandler.Response(statusCode);
            response.RequestMessage = isRedirected ? new HttpRequestMessage(HttpMethod.Get, "https://example.com/sign-in") : null;
            return response;
        });
        UploadException exception = await Assert.ThrowsAsync<UploadException>(() => UploadAsync(handler, Size));
        Assert.Equal(reason, exception.Reason);
        Assert.Equal(reason == UploadFailureReason.DigestMismatch, handler.Requests.Contains($"DELETE {UploadUri}"));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(405)]
    public async Task Server_without_stored_response_returns_the_status(int statusCode)
    {
        using var handler = new ScriptedHandler((request, _) => request.Method == HttpMethod.Patch ? ScriptedHandler.Response(statusCode) : ScriptedHandler.Response(200, CompleteStatus));
        ClientUploadResponse response = await UploadAsync(handler, Size);
        Assert.True(response.WasAlreadyComplete);
        Assert.Equal([$"HEAD {UploadUri}", $"PATCH {UploadUri}"], handler.Requests);
    }

    [Fact]
    public async Task Limit_of_a_proxy_is_kept_when_the_server_reports_its_own()
    {
        const int Length = 1_000_000;
        const string Limit = Tus + "Upload-Limit: max-append-size=500000\n";
        long offset = 0;
        int rejected = 0;
        _store.State = null;
        using var handler = new ScriptedHandler((request, count) =>
        {
            if (count > 200_000)
            {
                rejected++;
                return ScriptedHandler.Response(413);
            }

            offset += count;
            return request.Method == HttpMethod.Options ? ScriptedHandler.Response(204, Limit + "Tus-Extension: creation")
                : request.Method == HttpMethod.Post ? ScriptedHandler.Response(201, $"{Limit}Location: {UploadUri}")
                : ScriptedHandler.Response(request.Method == HttpMethod.Head ? 200 : 204, $"{Limit}Upload-Offset: {offset}\nUpload-Length: {Length}");
        });
        using var stream = new MemoryStream(new byte[Length]);
        await UploadAsync(handler, stream, Options());
        Assert.Equal(Length, offset);
        Assert.Equal(2, rejected);
    }

    [Theory]
    [InlineData(200, CompleteStatus, false)]
    [InlineData(503, "", false)]
    [InlineData(403, "", false)]
    [InlineData(200, Tus + "Upload-Offset: 1000\nUpload-Length: 2000", true)]
    public async Task Changed_stream_deletes_only_an_incomplete_upload(int statusCode, string headers, bool isDeleted)
    {
        int requests = 0;
        using var handler = new ScriptedHandler((request, _) => requests++ == 0 ? ScriptedHandler.Response(200, CompleteStatus) : ScriptedHandler.Response(statusCode, headers));
        UploadException exception = await Assert.ThrowsAsync<UploadException>(() => UploadAsync(handler, Size / 2));
        Assert.Equal(UploadFailureReason.SourceChanged, exception.Reason);
        Assert.Equal(isDeleted, handler.Requests.Contains($"DELETE {UploadUri}"));
    }

    [Theory]
    [InlineData(UploadProtocol.FileId, "https://example.com/upload/1")]
    [InlineData(UploadProtocol.Ietf, "https://example.com/upload/1")]
    [InlineData(UploadProtocol.Tus, "http://example.com/upload/1")]
    [InlineData(UploadProtocol.Tus, "http://example.com:443/upload/1")]
    [InlineData(UploadProtocol.Tus, "https://example.com:8443/upload/1")]
    [InlineData(UploadProtocol.Tus, "https://other.example.com/upload/1")]
    [InlineData(UploadProtocol.Tus, "file:///upload/1")]
    public async Task State_of_another_protocol_or_host_is_ignored(UploadProtocol protocol, string uri)
    {
        _store.State = new ClientState(new UploadReference(protocol, new Uri(uri)), Size, "");
        using var handler = new ScriptedHandler(static (request, count) => request.Method == HttpMethod.Post
            ? ScriptedHandler.Response(201, $"{Tus}Location: {UploadUri}")
            : ScriptedHandler.Response(204, $"{Tus}Upload-Offset: {count}"));
        using var httpClient = new HttpClient(handler, disposeHandler: false);
        var client = new ResumableUploadClient(httpClient, new ResumableUploadClientOptions { StateStore = _store });
        Assert.Null(await client.FindUploadAsync(ClientResponses.Endpoint, "file", Options(), TestContext.Current.CancellationToken));
        await UploadAsync(handler, Size, Size);
        Assert.Equal([$"POST {ClientResponses.Endpoint}", $"PATCH {UploadUri}"], handler.Requests);
    }

    [Fact]
    public async Task State_of_another_host_is_used_if_that_is_allowed()
    {
        var uri = new Uri("https://other.example.com/upload/1");
        _store.State = new ClientState(new UploadReference(UploadProtocol.Tus, uri), Size, "");
        using var handler = new ScriptedHandler(static (request, _) => ScriptedHandler.Response(request.Method == HttpMethod.Head ? 200 : 204, CompleteStatus));
        using var stream = new ForwardStream(Size);
        await UploadAsync(handler, stream, Options(), allowOtherHosts: true);
        Assert.Equal([$"HEAD {uri}", $"PATCH {uri}"], handler.Requests);
    }

    [Fact]
    public async Task Seekable_streams_without_id_are_different_uploads()
    {
        var ids = new HashSet<string>();
        using var handler = new ScriptedHandler((request, _) =>
        {
            if (request.Headers.TryGetValues("X-File-Id", out IEnumerable<string>? values))
            {
                ids.Add(values.Single());
            }

            return ScriptedHandler.Response(200, request.Method == HttpMethod.Post ? "X-Upload-Complete: true" : "X-Upload-Complete: false\nX-Start-Byte: 0");
        });
        foreach (byte middle in new byte[] { 1, 2 })
        {
            byte[] content = new byte[200_000];
            content[100_000] = middle;
            using var stream = new MemoryStream(content);
            await UploadAsync(handler, stream, new UploadOptions());
        }

        Assert.Equal(2, ids.Count);
        Assert.Equal(0, _store.Calls);
    }

    private static UploadOptions Options() => new() { Protocol = UploadProtocol.Tus, Id = "id", Retry = { InitialDelay = TimeSpan.FromMilliseconds(1) } };

    private async Task<ClientUploadResponse> UploadAsync(ScriptedHandler handler, int size, long? length = null)
    {
        using var stream = new ForwardStream(size);
        UploadOptions options = Options();
        options.Length = length;
        return await UploadAsync(handler, stream, options);
    }

    private async Task<ClientUploadResponse> UploadAsync(ScriptedHandler handler, Stream stream, UploadOptions options, bool allowOtherHosts = false)
    {
        using var httpClient = new HttpClient(handler, disposeHandler: false);
        var client = new ResumableUploadClient(httpClient, new ResumableUploadClientOptions { StateStore = _store, AllowOtherHosts = allowOtherHosts });
        return await client.UploadAsync(ClientResponses.Endpoint, stream, options, cancellationToken: TestContext.Current.CancellationToken);
    }

    private sealed class ForwardStream(int size) : MemoryStream(new byte[size], writable: false)
    {
        public override bool CanSeek => false;
    }
}
