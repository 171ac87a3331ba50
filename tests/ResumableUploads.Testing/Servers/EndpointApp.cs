using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Servers;

/// <summary>An app whose own endpoints take resumable uploads, with a directory for them that goes with the app.</summary>
internal static class EndpointApp
{
    /// <param name="map">Middleware and endpoints.</param>
    /// <param name="configure">Options of <c>AddResumableUploads</c>; the directory is set, and durability is Process.</param>
    /// <param name="services">More services.</param>
    /// <param name="onTestHost">TestHost instead of Kestrel.</param>
    /// <param name="protocols">What Kestrel speaks. Http2 is without TLS.</param>
    /// <param name="listen">Changes Kestrel's listener.</param>
    public static Task<TestApp> StartAsync(
        Action<WebApplication> map,
        Action<ResumableUploadOptions>? configure = null,
        Action<WebApplicationBuilder>? services = null,
        bool onTestHost = false,
        HttpProtocols protocols = HttpProtocols.Http1,
        Action<ListenOptions>? listen = null) =>
        TestApp.StartAsync(
            services: builder =>
            {
                builder.Services.AddResumableUploads(options =>
                {
                    options.Directory = builder.Environment.ContentRootPath;
                    options.FileSystem.Durability = Durability.ProcessCrash;
                    configure?.Invoke(options);
                });
                services?.Invoke(builder);
            },
            after: map,
            onTestHost: onTestHost,
            protocols: protocols,
            useUploads: false,
            listen: listen);
}
