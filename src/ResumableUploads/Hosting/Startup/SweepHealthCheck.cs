using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads.Engine.Expiration;

namespace ResumableUploads.Hosting.Startup;

/// <summary>Fails if the sweep of a store fails repeatedly or makes no progress.</summary>
internal sealed class SweepHealthCheck(SharedUploadServices sharedServices) : IHealthCheck
{
    private const int MaxFailures = 3;
    private const int MaxIntervals = 3;

    /// <summary>One visit may wait for a slow completion handler or a slow event.</summary>
    private static readonly TimeSpan MaxVisit = TimeSpan.FromMinutes(10);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? problem = null;
        Exception? exception = null;
        var data = new Dictionary<string, object>();
        int number = 0;
        foreach (UploadSweeper sweeper in sharedServices.RunningSweepers)
        {
            SweepStatus status = sweeper.Status;
            string store = $"store{++number}";
            data[$"{store}.lastSuccessfulSweep"] = (object?)status.LastSucceeded ?? "none";
            data[$"{store}.consecutiveFailures"] = status.ConsecutiveFailures;
            if (status.ConsecutiveFailures >= MaxFailures)
            {
                problem ??= $"The last {status.ConsecutiveFailures} sweeps of {store} have failed. Nothing expires, and no failed handler is retried. Check the store.";
                exception ??= status.LastFailure;
            }
            else if (sharedServices.Time.GetUtcNow() - status.LastActivity > (sweeper.Interval * MaxIntervals) + MaxVisit)
            {
                problem ??= $"The sweep of {store} has made no progress since {status.LastActivity:O}. An event handler or the store does not return.";
            }
        }

        return Task.FromResult(problem is null
            ? HealthCheckResult.Healthy("The background work of resumable uploads is running.", data)
            : new HealthCheckResult(context.Registration.FailureStatus, problem, exception, data));
    }
}
