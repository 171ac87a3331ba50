using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Servers;

/// <summary>An app with resumable endpoints and a temporary upload directory.</summary>
internal static class EndpointApp
{
    /// <param name="map">Adds middleware and endpoints.</param>
    /// <param name="configure">Configures <c>AddResumableUploads</c>. The directory is set, the durability is <c>ProcessCrash</c>, and the <c>PreemptionTimeout</c> is <see cref="TestApp.PreemptionTimeout"/>.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="onTestHost">Uses TestHost instead of Kestrel.</param>
    /// <param name="protocols">The HTTP versions of Kestrel. Http2 is without TLS.</param>
    /// <param name="listen">Configures the endpoint on which Kestrel listens.</param>
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
                    options.Timeouts.PreemptionTimeout = TestApp.PreemptionTimeout;
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
