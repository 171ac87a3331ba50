using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.Health;

/// <summary>
/// Checks the stores and the background work of an application. It fails if a store cannot be used, so that uploads fail, and reports <c>Degraded</c> if uploads
/// still work, but an operator must do something.
/// </summary>
internal sealed class UploadHealthCheck(SharedUploadServices sharedServices, ResumableUploadsHealthCheckOptions options) : IHealthCheck
{
    private const int MaxFailedSweeps = 3;
    private const int MaxIntervals = 3;

    /// <summary>One visit may wait for a slow completion handler or a slow event.</summary>
    private static readonly TimeSpan MaxVisit = TimeSpan.FromMinutes(10);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var report = new Report();
        SweptStore[] stores = sharedServices.SweptStores;
        StoreHealth?[] health = options.ProbeStores
            ? await Task.WhenAll(stores.Select(store => store.Prober.ProbeAsync(options.ProbeTimeout, cancellationToken)))
            : [];
        for (int i = 0; i < stores.Length; i++)
        {
            if (options.ProbeStores)
            {
                CheckStorage(stores[i], health[i], report);
            }

            CheckSweeper(stores[i], report);
            CheckDeadLetters(stores[i], report);
        }

        HealthStatus failure = context.Registration.FailureStatus;
        return report.Problems.Count == 0
            ? HealthCheckResult.Healthy("Resumable uploads work.", report.Data)
            : new HealthCheckResult(
                report.IsFailed ? failure : (HealthStatus)Math.Max((int)failure, (int)HealthStatus.Degraded),
                string.Join(' ', report.Problems),
                report.Exception,
                report.Data);
    }

    private void CheckStorage(SweptStore store, StoreHealth? health, Report report)
    {
        if (health is null)
        {
            report.Fail($"{store.Name} has not responded within {options.ProbeTimeout}. Uploads fail or wait. Check whether the storage hangs.");
        }
        else if (health.Failure is { } failure)
        {
            string reason = (failure as UploadStoreException)?.Failure switch
            {
                StoreFailure.Full => "is full",
                StoreFailure.ReadOnly => "cannot be written",
                _ => "failed",
            };
            report.Fail($"{store.Name} {reason}: {failure.Message.TrimEnd('.')}. Uploads fail. Check the storage.", failure);
        }
        else if (health.FreeSpace is { } space)
        {
            report.Data[$"{store.Name}.freeSpace"] = space;
            if (space < options.MinFreeSpace)
            {
                report.Degrade(Invariant($"{store.Name} has {space} bytes of free space left, less than {options.MinFreeSpace}. Free some space, or add storage."));
            }
        }

        TimeSpan wait = store.Prober.LongestWait;
        if (wait > options.MaxQueueTime)
        {
            report.Degrade($"An operation of {store.Name} has waited {wait} for a thread. Some uploads wait for calls that hang. Check the storage.");
        }
    }

    private void CheckSweeper(SweptStore store, Report report)
    {
        SweepStatus status = store.Sweeper.Status;
        report.Data[$"{store.Name}.lastSuccessfulSweep"] = (object?)status.LastSucceeded ?? "none";
        report.Data[$"{store.Name}.consecutiveFailures"] = status.ConsecutiveFailures;
        if (status.ConsecutiveFailures >= MaxFailedSweeps)
        {
            report.Degrade(
                $"The last {status.ConsecutiveFailures} sweeps of {store.Name} have failed. Nothing expires, and no failed handler is retried. Check the store.", status.LastFailure);
        }
        else if (sharedServices.Time.GetUtcNow() - status.LastActivity > (store.Sweeper.Interval * MaxIntervals) + MaxVisit)
        {
            report.Degrade($"The sweep of {store.Name} has made no progress since {status.LastActivity:O}. An event handler or the store does not return.");
        }
    }

    private void CheckDeadLetters(SweptStore store, Report report)
    {
        if (store.Sweeper.Status.Held is not { } held)
        {
            return;
        }

        report.Data[$"{store.Name}.deadLetteredUploads"] = held.DeadLettered.Uploads;
        if (held.DeadLettered.Uploads > options.MaxDeadLetteredUploads)
        {
            report.Degrade(Invariant(
                $"{store.Name} has {held.DeadLettered.Uploads} dead-lettered uploads, more than {options.MaxDeadLetteredUploads}. Find the reason in the log, and retry them with IUploadManager."));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>What the check has found.</summary>
    private sealed class Report
    {
        public List<string> Problems { get; } = [];

        public Dictionary<string, object> Data { get; } = new(StringComparer.Ordinal);

        public Exception? Exception { get; private set; }

        public bool IsFailed { get; private set; }

        public void Fail(string problem, Exception? exception = null)
        {
            IsFailed = true;
            Degrade(problem, exception);
        }

        public void Degrade(string problem, Exception? exception = null)
        {
            Problems.Add(problem);
            Exception ??= exception;
        }
    }
}
