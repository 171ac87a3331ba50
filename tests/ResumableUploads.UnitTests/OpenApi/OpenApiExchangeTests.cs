using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.TestHost;
using Microsoft.OpenApi;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.OpenApi;

/// <summary>A document describes what the server accepts and sends in an exchange of each protocol.</summary>
public class OpenApiExchangeTests
{
    /// <summary>The headers of the server and of HTTP itself, which belong to no protocol.</summary>
    private static readonly string[] Ignored = ["Cache-Control", "Content-Type", "Content-Length", "Date", "Server", "Set-Cookie", "Vary", "Accept", "Host", "Transfer-Encoding"];

    /// <summary>The headers of responses that need a failing store, a busy handler, a content coding or another method.</summary>
    private static readonly string[] Rare = ["X-Upload-Response", "Retry-After", "Accept-Encoding"];

    [Theory]
    [InlineData("/upload", "/upload/{resumable-upload}")]
    [InlineData("/import", "/import")]
    public async Task Requests_and_responses_of_each_protocol_are_described(string creation, string upload)
    {
        await using TestApp app = await DescribedApp.StartAsync();
        OpenApiDocument document = await DescribedApp.ReadDocumentAsync(app, DescribedApp.With);
        using var recorder = new Recorder(((TestServer)app.Services.GetRequiredService<IServer>()).CreateHandler(), document, creation, upload);
        using var client = new HttpClient(recorder) { BaseAddress = app.Address };
        foreach (string protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf })
        {
            byte[] content = new byte[4];
            string url = await client.BeginAsync(protocol, creation, content, 8, ("Want-Repr-Digest", "sha-256=1"));
            await client.GetOffsetAsync(protocol, url);
            (await client.FinishAsync(protocol, url, 2, content)).Dispose();
            (await client.FinishAsync(protocol, url, 4, content)).Dispose();
            await client.GetOffsetAsync(protocol, url);
            (await client.FinishAsync(protocol, url, 8, [])).Dispose();
            (await SendAsync(client, protocol, "OPTIONS", url)).Dispose();
            (await SendAsync(client, protocol, "DELETE", url)).Dispose();
            await client.GetOffsetAsync(protocol, url);
        }

        await SendOtherHeadersAsync(client, creation);
        (await client.TusAsync("POST", creation, null, ("Upload-Length", "99999999999999"))).Dispose();
        (await client.TusAsync("POST", creation, null, ("Tus-Resumable", "0.1"), ("Upload-Length", "1"))).Dispose();
        (await client.TusAsync("POST", creation, null, ("Upload-Defer-Length", "1"), ("Upload-Metadata", "filename YQ=="))).Dispose();
        Assert.Empty(recorder.Missing);
        Assert.Empty(recorder.GetUnused());
    }

    /// <summary>Sends requests with the headers that a usual exchange does not have. The server accepts all of them.</summary>
    private static async Task SendOtherHeadersAsync(HttpClient client, string creation)
    {
        byte[] content = new byte[4];
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(content))}:";
        await AcceptAsync(client.SendFileIdAsync(
            "POST", creation, content, ("X-Start-Byte", "0"), ("X-File-Name", "a"), ("Content-Range", "bytes 0-3/4"), ("Content-Digest", digest), ("Repr-Digest", digest)));
        string part = await client.CreateAsync(creation, 4, ("Upload-Concat", "partial"));
        await AcceptAsync(client.TusAsync(
            "POST", part, content, ("X-HTTP-Method-Override", "PATCH"), ("Upload-Offset", "0"), ("Upload-Checksum", $"sha256 {Convert.ToBase64String(SHA256.HashData(content))}")));
        await client.GetOffsetAsync(ProtocolClient.Tus, part);
        using HttpResponseMessage created = await client.TusAsync("POST", creation, null, ("Upload-Defer-Length", "1"), ("Upload-Metadata", "filename YQ=="));
        string deferred = created.Header("Location")!;
        await client.GetOffsetAsync(ProtocolClient.Tus, deferred);
        await AcceptAsync(client.AppendChunkAsync(deferred, 0, content, ("Upload-Length", "4"), ("Content-Digest", digest), ("Repr-Digest", digest)));
        await AcceptAsync(client.IetfAsync("POST", creation, 3, new ByteArrayContent(content), ("Upload-Incomplete", "?1")));
    }

    private static async Task AcceptAsync(Task<HttpResponseMessage> sending)
    {
        using HttpResponseMessage response = await sending;
        Assert.True(response.IsSuccessStatusCode, $"{response.RequestMessage} {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string protocol, string method, string url) => protocol switch
    {
        ProtocolClient.FileId => client.SendFileIdAsync(method, url, null),
        ProtocolClient.Tus => client.TusAsync(method, url),
        _ => client.IetfAsync(method, url, IetfClient.Newest),
    };

    /// <summary>Compares each request and response with the document.</summary>
    private sealed class Recorder(HttpMessageHandler inner, OpenApiDocument document, string creation, string upload) : DelegatingHandler(inner)
    {
        public SortedSet<string> Missing { get; } = new(StringComparer.Ordinal);

        private readonly HashSet<string> _requestHeaders = new(StringComparer.OrdinalIgnoreCase);
        private readonly HashSet<string> _responseHeaders = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>Returns the described headers that the exchange does not have.</summary>
        public IEnumerable<string> GetUnused()
        {
            OpenApiOperation[] operations = [.. document.Paths.Where(path => path.Key == creation || path.Key == upload).SelectMany(static path => path.Value.Operations!.Values)];
            return operations.SelectMany(static operation => operation.GetRequestHeaders()).Except(_requestHeaders, StringComparer.OrdinalIgnoreCase)
                .Concat(operations.SelectMany(static operation => operation.Responses!.Values).SelectMany(static response => response.Headers?.Keys ?? [])
                    .Except(_responseHeaders, StringComparer.OrdinalIgnoreCase))
                .Except(Rare, StringComparer.OrdinalIgnoreCase);
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            string path = request.RequestUri!.AbsolutePath == creation && !request.RequestUri.Query.Contains("resumable-upload", StringComparison.Ordinal) ? creation : upload;
            string name = $"{request.Method} {path}";
            if (document.Find(path, request.Method.Method) is not { } operation)
            {
                Missing.Add(name);
                return response;
            }

            _requestHeaders.UnionWith(request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []).Select(static header => header.Key));
            _responseHeaders.UnionWith(response.Headers.Concat(response.Content.Headers).Select(static header => header.Key));
            HashSet<string> requestHeaders = operation.GetRequestHeaders();
            IEnumerable<string> sent = request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []).Select(static header => header.Key);
            Add(sent, requestHeaders, $"{name}: request header ");
            if (operation.GetResponseHeaders((int)response.StatusCode) is { } responseHeaders)
            {
                Add(response.Headers.Concat(response.Content.Headers).Select(static header => header.Key), responseHeaders, $"{name}: {(int)response.StatusCode} ");
            }
            else
            {
                Missing.Add($"{name}: status {(int)response.StatusCode}");
            }

            return response;
        }

        private void Add(IEnumerable<string> used, IEnumerable<string> described, string prefix)
        {
            foreach (string header in used.Except(described, StringComparer.OrdinalIgnoreCase).Except(Ignored, StringComparer.OrdinalIgnoreCase))
            {
                Missing.Add(prefix + header);
            }
        }
    }
}
