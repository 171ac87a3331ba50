using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResumableUploads.Testing.Servers;

/// <summary>The server and HTTP version of an app.</summary>
public enum Server
{
    TestHost,
    Http1,
    Http2,
}

internal static class Servers
{
    /// <summary>Starts an app with resumable endpoints. Its client uses only the HTTP version of the server.</summary>
    public static async Task<TestApp> StartAsync(
        this Server server, Action<WebApplication> map, Action<WebApplicationBuilder>? services = null, Action<ResumableUploadOptions>? configure = null)
    {
        TestApp app = await EndpointApp.StartAsync(
            map, configure, services, server == Server.TestHost, server == Server.Http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        app.Client.DefaultRequestVersion = server == Server.Http2 ? HttpVersion.Version20 : HttpVersion.Version11;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return app;
    }
}
