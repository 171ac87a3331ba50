using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResumableUploads.Testing.Servers;

/// <summary>An app on Kestrel that receives uploads of the IETF draft, for each kind of upload path and each HTTP version.</summary>
internal sealed class IetfApp : IAsyncDisposable
{
    public const string Url = TusApp.Url;

    /// <summary>HTTP/1.1 without TLS.</summary>
    public const string Http1 = "HTTP/1.1";

    /// <summary>HTTP/1.1 over TLS.</summary>
    public const string Http1Tls = "HTTP/1.1 over TLS";

    /// <summary>HTTP/2 without TLS.</summary>
    public const string Http2 = "HTTP/2";

    /// <summary>HTTP/2 over TLS.</summary>
    public const string Http2Tls = "HTTP/2 over TLS";

    private readonly TusApp _app;

    private IetfApp(TusApp app) => _app = app;

    /// <summary>Gets every kind of upload path with every HTTP version.</summary>
    public static TheoryData<string, string> Everywhere
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
            {
                foreach (string wire in new[] { Http1, Http2, Http2Tls })
                {
                    all.Add(place, wire);
                }
            }

            return all;
        }
    }

    public static TheoryData<string> Wires => [Http1, Http2, Http2Tls];

    public HttpClient Client => _app.Client;

    public Uri Address => _app.Address;

    /// <summary>Gets the files that the handler has received, in order.</summary>
    public ConcurrentQueue<ReceivedFile> Seen => _app.Seen;

    public ConcurrentQueue<string> Log => _app.App.Log.Lines;

    /// <param name="place">The kind of upload path.</param>
    /// <param name="wire">The HTTP version.</param>
    /// <param name="configure">Configures the options. The store is in memory, and interim responses are sent on every connection.</param>
    /// <param name="answer">Returns the response of the handler for its n-th call, or null for the default response.</param>
    /// <param name="services">Adds services.</param>
    public static async Task<IetfApp> StartAsync(
        string place = TusApp.Endpoint,
        string wire = Http1,
        Action<ResumableUploadOptions>? configure = null,
        Func<int, HandlerResponse?>? answer = null,
        Action<WebApplicationBuilder>? services = null)
    {
        TusApp app = await TusApp.StartAsync(
            place,
            options =>
            {
                options.Ietf.InterimResponses = InterimResponses.Always;
                configure?.Invoke(options);
            },
            answer,
            services,
            onKestrel: true,
            wire is Http1 or Http1Tls ? HttpProtocols.Http1 : HttpProtocols.Http2,
            listen =>
            {
                listen.UseResumableUploadInterimResponses();
                if (wire is Http1Tls or Http2Tls)
                {
                    listen.UseHttps(TestCertificate.Instance);
                }
            });
        if (wire is Http2 or Http2Tls)
        {
            app.Client.DefaultRequestVersion = HttpVersion.Version20;
            app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        return new IetfApp(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
