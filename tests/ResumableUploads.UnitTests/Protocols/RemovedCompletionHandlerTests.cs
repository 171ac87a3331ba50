using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>Requests for an upload that was received when the app had an OnCompleted, which it has no longer.</summary>
public sealed class RemovedCompletionHandlerTests : IAsyncLifetime
{
    private const string Url = "/upload";
    private readonly MemoryUploadStore _store = new();
    private TestApp? _app;

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await (_app?.DisposeAsync() ?? ValueTask.CompletedTask);

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Repeated_last_request_completes_the_upload(string protocol)
    {
        (HttpClient client, string url) = await RestartAsync(protocol);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage finished = await client.FinishAsync(protocol, url, 3, []);
            Assert.True(finished.IsSuccessStatusCode, $"{(int)finished.StatusCode} {await finished.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
            Assert.Equal(UploadState.Completed, (await GetAsync()).State);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Client_that_requests_the_offset_first_completes_the_upload(string protocol)
    {
        (HttpClient client, string url) = await RestartAsync(protocol);
        (int status, string? offset) = await client.GetOffsetAsync(protocol, protocol == ProtocolClient.FileId ? "/status" : url);
        Assert.InRange(status, 200, 299);
        Assert.Equal("3", offset);

        // A client of tus sends nothing more.
        if (protocol != ProtocolClient.Tus)
        {
            using HttpResponseMessage finished = await client.FinishAsync(protocol, url, 3, []);
            Assert.True(finished.IsSuccessStatusCode);
        }

        Assert.Equal(UploadState.Completed, (await GetAsync()).State);
    }

    /// <summary>Receives an upload whose handler fails, and starts the app again without the handler.</summary>
    /// <returns>The client, and the URL of the upload.</returns>
    private async Task<(HttpClient Client, string Url)> RestartAsync(string protocol)
    {
        string url;
        await using (TestApp app = await StartAsync(static options => options.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.")))
        {
            url = await app.Client.BeginAsync(protocol, Url, [1], 3);
            using HttpResponseMessage failed = await app.Client.FinishAsync(protocol, url, 1, [2, 3]);
            Assert.Equal(503, (int)failed.StatusCode);
        }

        Assert.Equal(UploadState.Received, (await GetAsync()).State);
        _app = await StartAsync(static options => options.OnCompleted = null);
        return (_app.Client, url);
    }

    private async Task<UploadInfo> GetAsync() => Assert.Single(await _store.ListAsync(new UploadQuery(), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken));

    private Task<TestApp> StartAsync(Action<ResumableUploadOptions> configure) => TestApp.StartAsync(
        options =>
        {
            options.Store = new HookedStore(_store) { IsUnswept = true };
            configure(options);
        },
        onTestHost: true);
}
