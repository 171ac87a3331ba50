using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>An app behind a proxy: uploads with and without interim responses, and what the app sees of each request.</summary>
internal sealed class ProxiedApp : IAsyncDisposable
{
    /// <summary>The path of uploads with the default for interim responses.</summary>
    public const string Auto = "/upload/auto";

    /// <summary>The path of uploads with interim responses for every client that announces support.</summary>
    public const string Always = "/upload/always";

    /// <summary>A path that reads a body of any size.</summary>
    public const string Discard = "/discard";

    /// <summary>A path whose response has the header of the same name.</summary>
    public const string Sentinel = "/sentinel";

    public const string SentinelHeader = "X-Sentinel";

    private readonly TestApp _app;

    private ProxiedApp(TestApp app, ArrivalStore store, ConcurrentQueue<SeenRequest> requests, ConcurrentQueue<byte[]> files) =>
        (_app, Store, Requests, Files) = (app, store, requests, files);

    public Uri Address => _app.Address;

    public ArrivalStore Store { get; }

    /// <summary>Gets the requests in order.</summary>
    public ConcurrentQueue<SeenRequest> Requests { get; }

    /// <summary>Gets the content of the complete uploads in order.</summary>
    public ConcurrentQueue<byte[]> Files { get; }

    public static async Task<ProxiedApp> StartAsync(Action<ListenOptions>? listen = null)
    {
        var store = new ArrivalStore();
        var requests = new ConcurrentQueue<SeenRequest>();
        var files = new ConcurrentQueue<byte[]>();
        TestApp app = await TestApp.StartAsync(
            useUploads: false,
            listen: listen,
            before: app => app.Use((context, next) =>
            {
                requests.Enqueue(SeenRequest.From(context.Request));
                return next(context);
            }),
            after: app =>
            {
                app.MapResumableUploads(Auto, options => Configure(options, InterimResponses.Auto));
                app.MapResumableUploads(Always, options => Configure(options, InterimResponses.Always));
                app.MapPost(Discard, DiscardAsync);
                app.MapGet(Sentinel, static (HttpContext context) => context.Response.Headers[SentinelHeader] = "1");
            });
        return new ProxiedApp(app, store, requests, files);

        void Configure(ResumableUploadOptions options, InterimResponses interimResponses)
        {
            options.Store = store;
            options.Ietf.InterimResponses = interimResponses;
            options.OnCompleted = async (upload, cancellationToken) =>
            {
                using var content = new MemoryStream();
                await using (Stream stream = await upload.OpenReadAsync(cancellationToken))
                {
                    await stream.CopyToAsync(content, cancellationToken);
                }

                files.Enqueue(content.ToArray());
            };
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task DiscardAsync(HttpContext context)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        context.Features.GetRequiredFeature<IHttpMinRequestBodyDataRateFeature>().MinDataRate = null;
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
    }
}

/// <summary>A request as the app receives it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path.</param>
/// <param name="Marks">The headers of proxies, and the version if it is HTTP/1.0, which only proxies use.</param>
internal sealed record SeenRequest(string Method, string Path, string Marks)
{
    public static SeenRequest From(HttpRequest request)
    {
        IEnumerable<string> names = request.Headers.Keys
            .Where(static name => name is "Via" or "Forwarded" or "X-Real-IP" || name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase))
            .Select(static name => name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) ? "X-Forwarded-*" : name)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.OrdinalIgnoreCase);
        if (HttpProtocol.IsHttp10(request.Protocol))
        {
            names = names.Prepend(request.Protocol);
        }

        return new SeenRequest(request.Method, request.Path, string.Join(", ", names.Select(static name => $"`{name}`")));
    }
}
