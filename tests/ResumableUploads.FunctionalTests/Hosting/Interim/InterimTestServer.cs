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

/// <summary>A Kestrel server with one listener and one request delegate, which sends interim responses itself.</summary>
internal sealed class InterimTestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private InterimTestServer(WebApplication app, LogLines log)
    {
        _app = app;
        Log = log;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }

    public LogLines Log { get; }

    /// <param name="handler">The delegate that handles every request.</param>
    /// <param name="protocols">The HTTP versions of the listener.</param>
    /// <param name="listen">Configures the listener.</param>
    /// <param name="server">Configures the server before the listener is added.</param>
    public static async Task<InterimTestServer> StartAsync(
        RequestDelegate handler, HttpProtocols protocols, Action<ListenOptions>? listen = null, Action<KestrelServerOptions>? server = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // The tests must not depend on the speed of the machine.
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
        app.Run(handler);
        await app.StartAsync();
        return new InterimTestServer(app, log);
    }

    /// <summary>Enables TLS with the test certificate.</summary>
    public static void UseTls(ListenOptions endpoint) => endpoint.UseHttps(TestCertificate.Instance);

    /// <summary>Starts a server that sends interim responses on HTTP/2, with or without TLS.</summary>
    public static Task<InterimTestServer> StartHttp2Async(RequestDelegate handler, bool tls) => StartAsync(handler, HttpProtocols.Http2, endpoint =>
    {
        endpoint.UseResumableUploadInterimResponses();
        if (tls)
        {
            UseTls(endpoint);
        }
    });

    public async ValueTask DisposeAsync()
    {
        using (var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            await _app.StopAsync(timeout.Token);
        }

        await _app.DisposeAsync();
    }
}
