namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>One sample host for the tests of a class.</summary>
public sealed class SharedSampleHost : IAsyncLifetime
{
    public SampleHostProcess Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await SampleHostProcess.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
