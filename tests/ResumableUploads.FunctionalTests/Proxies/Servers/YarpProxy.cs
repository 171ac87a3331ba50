using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ResumableUploads.FunctionalTests.Proxies.Servers;

/// <summary>YARP on a Kestrel of its own in the process of the test.</summary>
internal sealed class YarpProxy : IProxy
{
    private readonly WebApplication _proxy;

    private YarpProxy(WebApplication proxy) => _proxy = proxy;

    public Uri Address => new(_proxy.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <param name="configuration">The configuration in JSON, with 5080 for the port of the app.</param>
    /// <param name="app">The address of the app.</param>
    public static async Task<IProxy> StartAsync(string configuration, Uri app)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(configuration.Replace("http://127.0.0.1:5080", app.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)));
        builder.Configuration.AddJsonStream(json);
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
        WebApplication proxy = builder.Build();
        proxy.MapReverseProxy();
        await proxy.StartAsync();
        return new YarpProxy(proxy);
    }

    public async ValueTask DisposeAsync()
    {
        using (var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            await _proxy.StopAsync(cancellation.Token);
        }

        await _proxy.DisposeAsync();
    }
}
