using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

/// <summary>A real Kestrel with one endpoint and one request delegate, which sends interim responses by itself.</summary>
internal sealed class InterimServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private InterimServer(WebApplication app, LogLines log)
    {
        _app = app;
        Log = log;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }

    public LogLines Log { get; }

    /// <param name="answer">What answers every request.</param>
    /// <param name="protocols">What the endpoint speaks.</param>
    /// <param name="listen">More about the endpoint.</param>
    /// <param name="server">More about the server, before the endpoint is there.</param>
    public static async Task<InterimServer> StartAsync(
        RequestDelegate answer, HttpProtocols protocols, Action<ListenOptions>? listen = null, Action<KestrelServerOptions>? server = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // No test depends on how fast the machine is.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            server?.Invoke(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = protocols;
                listen?.Invoke(endpoint);
            });
        });
        WebApplication app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new InterimServer(app, log);
    }

    /// <summary>Sets up TLS with a certificate made for the tests.</summary>
    public static void UseTls(ListenOptions endpoint) => endpoint.UseHttps(TestCertificate.Instance);

    /// <summary>An endpoint of HTTP/2 with interim responses, with or without TLS.</summary>
    public static Task<InterimServer> StartHttp2Async(RequestDelegate answer, bool tls) => StartAsync(answer, HttpProtocols.Http2, endpoint =>
    {
        endpoint.UseResumableUploadInterimResponses();
        if (tls)
        {
            UseTls(endpoint);
        }
    });

    public async ValueTask DisposeAsync()
    {
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            await _app.StopAsync(patience.Token);
        }

        await _app.DisposeAsync();
    }
}
