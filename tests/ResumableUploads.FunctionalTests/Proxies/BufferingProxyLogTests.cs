using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.FunctionalTests.Proxies.Measuring;
using ResumableUploads.FunctionalTests.Proxies.Servers;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>The log message about a proxy that buffers requests, with nginx. The clock of the app stands still unless the test advances it.</summary>
public sealed class BufferingProxyLogTests
{
    private const string EventId = "ResumableUploads[363]";
    private const int Size = 2_000_000;
    private static readonly byte[] File = new byte[Size];
    private readonly FakeTimeProvider _time = new();
    private readonly ArrivalStore _store = new();

    [Fact]
    public async Task Proxy_that_buffers_requests_is_logged_once()
    {
        await using TestApp app = await StartAsync();
        await using IProxy proxy = await ProxySetup.Of("nginx", "buffering", ProxyProgram.Nginx, ProxySetup.NginxBuffering).StartAsync(app.Address);
        for (int i = 1; i <= 2 * BufferingProxyDetector.RequestCount; i++)
        {
            await UploadAsync(proxy.Address, static () => Task.CompletedTask);
            Assert.Equal(i < BufferingProxyDetector.RequestCount ? 0 : 1, CountMessages(app));
        }

        Assert.StartsWith("Information", app.Log.Lines.Single(static line => line.Contains(EventId, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_that_forwards_bytes_of_a_slow_client_is_not_logged()
    {
        await using TestApp app = await StartAsync();
        await using IProxy proxy = await ProxySetup.Get("nginx", ProxySetup.Sample).StartAsync(app.Address);
        for (int i = 1; i <= 2 * BufferingProxyDetector.RequestCount; i++)
        {
            long before = _store.Received;
            await UploadAsync(proxy.Address, async () =>
            {
                await Eventually.TrueAsync(() => _store.Received >= before + (Size / 2), "the first half has arrived");
                _time.Advance(TimeSpan.FromSeconds(1));
            });
        }

        Assert.Equal(0, CountMessages(app));
    }

    [Fact]
    public async Task Fast_client_without_a_proxy_is_not_logged()
    {
        await using TestApp app = await StartAsync();
        for (int i = 1; i <= 2 * BufferingProxyDetector.RequestCount; i++)
        {
            await UploadAsync(app.Address, static () => Task.CompletedTask);
        }

        Assert.Equal(0, CountMessages(app));
    }

    private Task<TestApp> StartAsync() => TestApp.StartAsync(
        options => options.Store = _store, services: builder => builder.Services.AddSingleton<TimeProvider>(_time));

    private static async Task UploadAsync(Uri address, Func<Task> betweenHalves)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(address);
        await connection.SendHeadAsync("POST /upload", $"X-File-Id: {Guid.NewGuid():N}", $"X-File-Size: {Size}", "X-Start-Byte: 0", $"Content-Length: {Size}");
        await connection.SendAsync(File.AsMemory(0, Size / 2));
        await betweenHalves();
        await connection.SendAsync(File.AsMemory(Size / 2));
        Assert.Equal(200, (await connection.ReadResponseAsync())?.Status);
    }

    private static int CountMessages(TestApp app) => app.Log.Lines.Count(static line => line.Contains(EventId, StringComparison.Ordinal));
}
