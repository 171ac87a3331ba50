using Microsoft.Extensions.Hosting;

namespace ResumableUploads.Hosting.Startup;

/// <summary>Checks the stores before the server listens, sweeps them while it runs, and waits for running work when it stops.</summary>
internal sealed class ResumableUploadsHostedService(SharedUploadServices app) : IHostedLifecycleService
{
    /// <summary>Runs before any hosted service starts, and the server is one of them.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => app.CheckStoresAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        app.StartSweeping();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Runs after the server has stopped: no request uses an engine any more.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => app.StopAsync();
}
