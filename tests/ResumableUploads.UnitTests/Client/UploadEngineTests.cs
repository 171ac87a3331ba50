using System.Security.Cryptography;
using ResumableUploads.Client;

namespace ResumableUploads.UnitTests.Client;

public class UploadEngineTests
{
    private const int Size = 1000;
    private const string Tus = "Tus-Resumable: 1.0.0\n";
    private const string CompleteStatus = Tus + "Upload-Offset: 1000\nUpload-Length: 1000";
    private static readonly Uri UploadUri = new("https://example.com/upload/1");
    private readonly SingleStateStore _store = new() { State = new UploadStateEntry(new UploadReference(UploadProtocol.Tus, UploadUri), Size, "") };

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

            return isRedirected ? Redirected(statusCode) : ScriptedHandler.Response(statusCode);
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
        UploadResponseMessage response = await UploadAsync(handler, Size);
        Assert.True(response.WasAlreadyComplete);
        Assert.Equal([$"HEAD {UploadUri}", $"PATCH {UploadUri}"], handler.Requests);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    [InlineData(500)]
    public async Task Redirect_of_a_request_without_content_is_not_the_response_of_the_app(int statusCode)
    {
        using var handler = new ScriptedHandler((request, _) => request.Method == HttpMethod.Patch ? Redirected(statusCode) : ScriptedHandler.Response(200, CompleteStatus));
        UploadResponseMessage response = await UploadAsync(handler, Size);
        Assert.Equal(["1000"], response.Headers["Upload-Length"]);
        Assert.Equal([$"HEAD {UploadUri}", $"PATCH {UploadUri}", $"HEAD {UploadUri}"], handler.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Redirect_after_a_lost_request_is_not_the_response_of_the_app(bool isLost)
    {
        // The first append arrives after the status request, and the second one is redirected to a sign-in page.
        long[] offsets = isLost ? [0, 500, Size] : [500, Size];
        int appends = 0;
        int statuses = 0;
        using var handler = new ScriptedHandler((request, _) =>
            request.Method == HttpMethod.Head ? ScriptedHandler.Response(200, $"{Tus}Upload-Offset: {offsets[statuses++]}\nUpload-Length: {Size}")
            : isLost && appends++ == 0 ? throw new HttpRequestException("The connection was lost.")
            : Redirected(200));
        UploadResponseMessage response = await UploadAsync(handler, Size);
        Assert.Equal(isLost, response.Headers.ContainsKey("Upload-Length"));
    }

    [Fact]
    public async Task Rejection_by_the_app_after_a_redirect_is_no_success()
    {
        // The endpoint itself is at another URL, to which each request is redirected.
        int statuses = 0;
        using var handler = new ScriptedHandler((request, _) => request.Method == HttpMethod.Head
            ? Redirected(200, $"{Tus}Upload-Offset: {(statuses++ == 0 ? 500 : Size)}\nUpload-Length: {Size}")
            : Redirected(422, Tus));
        UploadException exception = await Assert.ThrowsAsync<UploadException>(() => UploadAsync(handler, Size));
        Assert.Equal(UploadFailureReason.Rejected, exception.Reason);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public async Task Chunk_whose_digest_does_not_match_is_sent_again_once(int mismatches, bool succeeds)
    {
        long offset = 0;
        var digests = new List<string>();
        _store.State = null;
        using var handler = new ScriptedHandler((request, count) =>
        {
            if (request.Method == HttpMethod.Post)
            {
                return ScriptedHandler.Response(201, $"{Tus}Location: {UploadUri}");
            }

            if (request.Method == HttpMethod.Patch)
            {
                digests.Add(request.Headers.GetValues("Content-Digest").Single());
                if (offset == 400 && mismatches-- > 0)
                {
                    return ScriptedHandler.Response(460);
                }

                offset += count;
            }

            return ScriptedHandler.Response(204, $"{Tus}Upload-Offset: {offset}\nUpload-Length: {Size}");
        });
        UploadOptions options = Options();
        (options.ChunkSize, options.ChunkDigest) = (400, UploadDigest.Sha256);
        using var stream = new MemoryStream(Enumerable.Range(0, Size).Select(static i => (byte)i).ToArray());
        if (succeeds)
        {
            await UploadAsync(handler, stream, options);
            Assert.Equal([Digest(stream, 0, 400), Digest(stream, 400, 400), Digest(stream, 400, 400), Digest(stream, 800, 200)], digests);
        }
        else
        {
            Assert.Equal(UploadFailureReason.DigestMismatch, (await Assert.ThrowsAsync<UploadException>(() => UploadAsync(handler, stream, options))).Reason);
            Assert.Contains($"DELETE {UploadUri}", handler.Requests);
        }
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
        _store.State = new UploadStateEntry(new UploadReference(protocol, new Uri(uri)), Size, "");
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
        _store.State = new UploadStateEntry(new UploadReference(UploadProtocol.Tus, uri), Size, "");
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

    private static string Digest(MemoryStream stream, int start, int count) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(stream.ToArray().AsSpan(start, count)))}:";

    private static HttpResponseMessage Redirected(int statusCode, string headers = "")
    {
        HttpResponseMessage response = ScriptedHandler.Response(statusCode, headers);
        response.RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://example.com/sign-in");
        return response;
    }

    private static UploadOptions Options() => new() { Protocol = UploadProtocol.Tus, Id = "id", Retry = { InitialDelay = TimeSpan.FromMilliseconds(1) } };

    private async Task<UploadResponseMessage> UploadAsync(ScriptedHandler handler, int size, long? length = null)
    {
        using var stream = new ForwardStream(size);
        UploadOptions options = Options();
        options.Length = length;
        return await UploadAsync(handler, stream, options);
    }

    private async Task<UploadResponseMessage> UploadAsync(ScriptedHandler handler, Stream stream, UploadOptions options, bool allowOtherHosts = false)
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
