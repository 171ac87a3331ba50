using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>The result of a request.</summary>
internal sealed record FuzzResult(int Status, string? Location, string? Fault);

/// <summary>An app that receives fuzzed requests directly in its pipeline, and its store.</summary>
internal sealed class FuzzApp : IAsyncDisposable
{
    public const string Path = "/files";
    public const string StatusPath = "/status";
    public const int MaxUploadSize = 1000;
    public const int Made = 40;
    private const string Parameter = "resumable-upload=";

    private readonly TestApp _app;
    private readonly TestServer _server;
    private readonly FuzzProtocol _protocol;
    private readonly bool _onEndpoint;
    private readonly IDisposable? _own;

    private FuzzApp(TestApp app, IUploadStore store, FuzzProtocol protocol, bool onEndpoint)
    {
        _app = app;
        _protocol = protocol;
        _server = (TestServer)app.Services.GetRequiredService<IServer>();
        _onEndpoint = onEndpoint;
        Store = store;
        _own = store as IDisposable;
    }

    public IUploadStore Store { get; }

    private string Scope => _onEndpoint ? UploadScopes.OfEndpoint(Path, "POST,PUT", "localhost") : UploadScopes.OfMiddleware(Path, "localhost");

    /// <param name="protocol">The protocol.</param>
    /// <param name="onEndpoint">Whether uploads go to an endpoint of the app with a file-system store. Otherwise they go to a mapped path with a memory store.</param>
    /// <param name="handler">The work of the completion handler, or null for none.</param>
    public static async Task<FuzzApp> StartAsync(FuzzProtocol protocol, bool onEndpoint, Func<Task>? handler = null)
    {
        IUploadStore? store = null;
        TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                if (onEndpoint)
                {
                    app.MapMethods(Path, ["POST", "PUT"], async (HttpContext context) =>
                    {
                        if (context.Features.Get<IResumableUploadFeature>() is null)
                        {
                            // A request without a protocol header belongs to the app, whatever its body is.
                            return;
                        }

                        await context.Request.Body.CopyToAsync(Stream.Null);
                        await (handler?.Invoke() ?? Task.CompletedTask);
                        await context.Response.WriteAsync("done");
                    }).WithResumableUploads();
                }
                else
                {
                    app.UseResumableUploads(options => options.OnCompleted = (_, _) => handler?.Invoke() ?? Task.CompletedTask);
                }
            },
            options =>
            {
                options.UploadPath = Path;
                options.StatusPath = StatusPath;
                options.MaxUploadSize = MaxUploadSize;

                // The rounds delete uploads from the store directly, so the server's count of them would only grow.
                options.Limits.MaxUploadsPerOwner = int.MaxValue;
                options.Limits.MaxBytesPerOwner = long.MaxValue;
                options.Store = store ??= onEndpoint
                    ? new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = options.Directory!, Durability = Durability.ProcessCrash })
                    : new MemoryUploadStore();
            },
            onTestHost: true);
        return new FuzzApp(app, store!, protocol, onEndpoint);
    }

    /// <summary>Returns the URL of an upload with a server-generated id.</summary>
    public string UrlOf(string id) => _onEndpoint ? $"{Path}?{Parameter}{id}" : $"{Path}/{id}";

    /// <summary>Returns the key of an upload with a server-generated id.</summary>
    public UploadKey KeyOf(string location) => _protocol.KeyOf!(Scope, location[^Made..]);

    /// <summary>Returns the key of an upload with a client-generated id.</summary>
    public UploadKey KeyOfFile(string fileId) => UploadKeyFactory.FromFileId("anonymous", Scope, Encoding.UTF8.GetBytes(fileId));

    public async Task<FuzzResult> SendAsync(FuzzRequest request, string url, UploadInfo? upload, CancellationToken cancellationToken = default)
    {
        long offset = upload?.Offset ?? 0;
        int length = request.Body.Length ?? (int)Math.Clamp((upload?.Length ?? offset) - offset, 0, MaxUploadSize);
        long from = Claimed(request) is { } text ? Fill(text, upload, [], out long claimed) is not null ? claimed : 0 : 0;
        byte[] body = FuzzContent.Bytes(from, length);
        try
        {
            HttpContext context = await _server.SendAsync(
                context =>
                {
                    string[] parts = url.Split('?', 2);
                    context.Request.Method = request.Method;
                    context.Request.Path = PathString.FromUriComponent(parts[0]);
                    context.Request.QueryString = new QueryString(parts.Length > 1 ? "?" + parts[1] : "");
                    context.Request.Host = new HostString("localhost");
                    context.Request.Protocol = "HTTP/1.1";
                    foreach ((string name, string value) in request.Headers)
                    {
                        context.Request.Headers.Append(name, Fill(value, upload, body, out _));
                    }

                    bool canHaveBody = length > 0 || !request.Body.IsDeclared;
                    context.Request.ContentLength = request.Body.IsDeclared && (canHaveBody || request.Number % 2 == 0) ? length : null;
                    context.Request.Body = canHaveBody ? new FuzzContent(from, length, request.Body.CutAfter) : Stream.Null;
                    context.Features.Set<IHttpRequestBodyDetectionFeature>(new Detected(canHaveBody));
                    context.Features.Set<IHttpRequestTrailersFeature>(new Trailers(request.Trailer is null ? null : Fill(request.Trailer, upload, body, out _)));
                },
                cancellationToken);
            using var response = new MemoryStream();
            await context.Response.Body.CopyToAsync(response, cancellationToken);
            return new FuzzResult(context.Response.StatusCode, context.Response.Headers.Location, FaultOf(context, request));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new FuzzResult(0, null, "the request threw: " + e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _own?.Dispose();
    }

    /// <summary>Returns a fault: a 5xx that the test has not caused by aborting the body, or a header that a real server could not send.</summary>
    private static string? FaultOf(HttpContext context, FuzzRequest request)
    {
        int status = context.Response.StatusCode;
        if (status >= 500 && (request.Body.CutAfter is null || status != 503))
        {
            return $"the response is {status}";
        }

        foreach (var header in context.Response.Headers)
        {
            // RFC 9110 allows tabs in a field value.
            if (header.Value.ToString().Replace('\t', ' ').AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                return $"the response has a header {header.Key} that cannot be sent";
            }
        }

        return null;
    }

    /// <summary>Returns the offset that the request claims. A creation with a server-generated id starts at zero.</summary>
    private string? Claimed(FuzzRequest request) => _protocol.IsNamedByServer && request.Target == FuzzRequest.Creation
        ? null
        : request.Headers.FirstOrDefault(header => header.Name == _protocol.Offset).Value;

    [SuppressMessage("Security", "CA5350", Justification = "The protocol demands it.")]
    private static string Fill(string text, UploadInfo? upload, byte[] body, out long number)
    {
        string filled = text
            .Replace("{offset}", (upload?.Offset ?? 0).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{length}", (upload?.Length ?? upload?.Offset ?? 0).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (filled.Contains("{sha1}", StringComparison.Ordinal))
        {
            filled = filled.Replace("{sha1}", Convert.ToBase64String(SHA1.HashData(body)), StringComparison.Ordinal);
        }

        if (filled.Contains("{sha256}", StringComparison.Ordinal))
        {
            filled = filled.Replace("{sha256}", Convert.ToBase64String(SHA256.HashData(body)), StringComparison.Ordinal);
        }

        // Parameters after the number do not change it.
        _ = long.TryParse(filled.Split(';')[0], NumberStyles.None, CultureInfo.InvariantCulture, out number);
        return filled;
    }

    private sealed class Detected(bool canHaveBody) : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => canHaveBody;
    }

    private sealed class Trailers(string? checksum) : IHttpRequestTrailersFeature
    {
        public bool Available => true;

        IHeaderDictionary IHttpRequestTrailersFeature.Trailers { get; } =
            checksum is null ? new HeaderDictionary() : new HeaderDictionary { ["Upload-Checksum"] = checksum };
    }
}
