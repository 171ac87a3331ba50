using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResumableUploads.Testing.Servers;

/// <summary>A file as the handler has received it.</summary>
internal sealed record ReceivedFile(byte[] Content, string? FileName, string? ContentType);

/// <summary>The response of a handler.</summary>
internal sealed record HandlerResponse(int Status, string? Body = null, string? Location = null);

/// <summary>An app that receives tus uploads at <c>/files</c>: with the middleware, a mapped path, or a resumable endpoint.</summary>
internal sealed class TusApp : IAsyncDisposable
{
    public const string Url = "/files";
    public const string ReadyMade = "ready-made";
    public const string Mapped = "mapped";
    public const string Endpoint = "endpoint";

    private readonly TestApp _app;

    private TusApp(TestApp app, ConcurrentQueue<ReceivedFile> received) => (_app, Seen) = (app, received);

    public static TheoryData<string> Places => [ReadyMade, Mapped, Endpoint];

    public HttpClient Client => _app.Client;

    public Uri Address => _app.Address;

    public TestApp App => _app;

    /// <summary>Gets the files that the handler has received, in order.</summary>
    public ConcurrentQueue<ReceivedFile> Seen { get; }

    /// <param name="place">The kind of upload path.</param>
    /// <param name="configure">Configures the options. The store is in memory.</param>
    /// <param name="answer">Returns the response of the handler for its n-th call, or null for the default response.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="onKestrel">Uses Kestrel instead of TestHost.</param>
    /// <param name="protocols">The HTTP versions of Kestrel.</param>
    /// <param name="listen">Configures the endpoint on which Kestrel listens.</param>
    public static async Task<TusApp> StartAsync(
        string place,
        Action<ResumableUploadOptions>? configure = null,
        Func<int, HandlerResponse?>? answer = null,
        Action<WebApplicationBuilder>? services = null,
        bool onKestrel = false,
        HttpProtocols protocols = HttpProtocols.Http1,
        Action<ListenOptions>? listen = null)
    {
        var received = new ConcurrentQueue<ReceivedFile>();
        TestApp app = await EndpointApp.StartAsync(
            app => Map(app, place, received, answer ?? (static _ => null)),
            options =>
            {
                options.UseMemoryStore();
                options.UploadPath = Url;
                configure?.Invoke(options);
            },
            services,
            onTestHost: !onKestrel,
            protocols,
            listen);
        return new TusApp(app, received);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Map(WebApplication app, string place, ConcurrentQueue<ReceivedFile> received, Func<int, HandlerResponse?> answer)
    {
        switch (place)
        {
            case ReadyMade:
                app.UseResumableUploads(options => options.OnCompleted = CompletedAsync);
                break;
            case Mapped:
                app.MapResumableUploads(Url, options => options.OnCompleted = CompletedAsync);
                break;
            default:
                app.MapPost(Url, async (HttpContext context) =>
                {
                    received.Enqueue(new ReceivedFile(
                        await ReadAsync(context.Request.Body), context.Features.Get<IResumableUploadFeature>()?.FileName, context.Request.ContentType));
                    if (answer(received.Count) is not { } response)
                    {
                        context.Response.StatusCode = 204;
                        return;
                    }

                    context.Response.StatusCode = response.Status;
                    context.Response.Headers.Location = response.Location;
                    if (response.Body is not null)
                    {
                        context.Response.ContentType = "text/plain";
                        await context.Response.WriteAsync(response.Body);
                    }
                }).WithResumableUploads();
                break;
        }

        async Task CompletedAsync(CompletedUpload upload, CancellationToken cancellationToken)
        {
            await using Stream content = await upload.OpenReadAsync(cancellationToken);
            received.Enqueue(new ReceivedFile(await ReadAsync(content), upload.FileName, upload.ContentType));
            if (answer(received.Count) is { } response)
            {
                upload.Response = response.Body is null ? new UploadResponse(response.Status) : new UploadResponse(response.Status, "text/plain", Encoding.UTF8.GetBytes(response.Body));
            }
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var content = new MemoryStream();
        await stream.CopyToAsync(content);
        return content.ToArray();
    }
}
