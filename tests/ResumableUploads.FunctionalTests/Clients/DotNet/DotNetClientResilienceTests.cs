using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using ResumableUploads.Client;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>The client with the handlers of Microsoft.Extensions.Http.Resilience.</summary>
public class DotNetClientResilienceTests
{
    private const int Size = 3_000_000;

    public static TheoryData<UploadProtocol> Protocols => ClientApp.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_with_resilience_handler_over_cut_connections_completes(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        int cuts = 4;
        await using var line = new PlannedLine(app.App.Address, 600_000, () => cuts-- > 0 ? LineFault.Cut : LineFault.None);
        await using ServiceProvider provider = Build(line.Address, static options => options.Retry.Delay = TimeSpan.FromMilliseconds(10));
        foreach (bool isStream in new[] { false, true })
        {
            cuts = 4;
            app.App.Finished.Clear();
            byte[] content = ClientApp.RandomBytes(Size);
            await using Stream stream = isStream ? new PipeStream(content) : new MemoryStream(content);
            await provider.GetRequiredService<ResumableUploadClient>().UploadAsync(
                new Uri("upload", UriKind.Relative), stream, ClientApp.Options(protocol, static options => options.Digest = UploadDigest.Sha256), null, TestContext.Current.CancellationToken);
            app.AssertReceived(content);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Timeout_of_resilience_handler_is_an_interruption(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        int stalls = 1;
        await using var line = new PlannedLine(app.App.Address, 600_000, () => stalls-- > 0 ? LineFault.Stall : LineFault.None);
        await using ServiceProvider provider = Build(line.Address, static options =>
        {
            options.Retry.ShouldHandle = static _ => ValueTask.FromResult(false);
            options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(10);
            options.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(1);
        });
        byte[] content = ClientApp.RandomBytes(32_000_000);
        using var stream = new MemoryStream(content);
        var retries = new List<UploadRetry>();
        await provider.GetRequiredService<ResumableUploadClient>().UploadAsync(
            new Uri("upload", UriKind.Relative), stream, ClientApp.Options(protocol, options => options.Retry.OnRetry = retries.Add), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Contains(retries, static retry => retry.Exception?.GetType().Name == "TimeoutRejectedException");
    }

    private static ServiceProvider Build(Uri address, Action<HttpStandardResilienceOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddHttpClient<ResumableUploadClient>(client => client.BaseAddress = address).AddStandardResilienceHandler(configure);
        return services.BuildServiceProvider();
    }
}
