namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>A sample host that the tests of a class share.</summary>
public sealed class SharedSampleHost : IAsyncLifetime
{
    public SampleHostProcess Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await SampleHostProcess.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
