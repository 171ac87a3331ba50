namespace ResumableUploads.FunctionalTests.Proxies.Servers;

/// <summary>No proxy: clients connect to the app.</summary>
internal sealed class DirectConnection(Uri app) : IProxy
{
    public Uri Address => app;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
