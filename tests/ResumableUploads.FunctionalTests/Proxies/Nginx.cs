using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.FunctionalTests.Proxies.Servers;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>nginx with the sample configuration in front of a sample host.</summary>
public sealed class Nginx : IAsyncLifetime
{
    private IProxy? _proxy;

    /// <summary>Gets the sample host behind nginx.</summary>
    public SampleHostProcess Host { get; private set; } = null!;

    /// <summary>Returns the address of nginx. Skips the test if nginx is not installed, which a fixture cannot do when it is created.</summary>
    public async Task<Uri> GetAddressAsync() => (_proxy ??= await ProxySetup.Get("nginx", ProxySetup.Sample).StartAsync(Host.Address)).Address;

    public async ValueTask InitializeAsync() => Host = await SampleHostProcess.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_proxy is { } proxy)
        {
            await proxy.DisposeAsync();
        }

        await Host.DisposeAsync();
    }
}
