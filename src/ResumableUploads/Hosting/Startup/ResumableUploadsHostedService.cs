using Microsoft.Extensions.Hosting;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Checks the stores before the server starts, starts the sweep after it has started, and stops the shared upload services after it has stopped.
/// </summary>
internal sealed class ResumableUploadsHostedService(SharedUploadServices sharedServices) : IHostedLifecycleService
{
    /// <summary>Checks the stores. The host calls this before it starts any hosted service, including the web server.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => sharedServices.CheckStoresAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        sharedServices.StartSweeping();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Stops the shared upload services. The host calls this after the web server has stopped, so no request uses an engine.
    /// </summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => sharedServices.StopAsync();
}
