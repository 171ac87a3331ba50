using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads;
using ResumableUploads.Hosting.Health;
using ResumableUploads.Hosting.Startup;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health check of resumable uploads.</summary>
public static class ResumableUploadsHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a health check of the stores and the background work of resumable uploads. It fails if a store cannot be written or does not respond. It reports
    /// <see cref="HealthStatus.Degraded"/> if uploads work, but free space is low, calls of the storage hang, there are many dead-lettered uploads, the last three sweeps of a
    /// store have failed, or a sweep has made no progress for three times <see cref="ResumableUploadTimeouts.SweepInterval"/> and ten minutes. Its data contains the time of
    /// the last successful sweep of each store, its free space and the number of dead-lettered uploads.
    /// </summary>
    /// <param name="builder">The builder of the health checks.</param>
    /// <param name="name">The name of the health check. Defaults to <c>resumable-uploads</c>.</param>
    /// <param name="failureStatus">The status that is reported if a store cannot be used, or <see langword="null"/> for <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">The tags that can be used to select health checks, or <see langword="null"/> for none.</param>
    /// <param name="configure">Configures the thresholds, or <see langword="null"/> for the defaults.</param>
    /// <returns>The builder of the health checks.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <remarks>Requires <c>AddResumableUploads()</c>.</remarks>
    public static IHealthChecksBuilder AddResumableUploads(
        this IHealthChecksBuilder builder,
        string name = "resumable-uploads",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        Action<ResumableUploadsHealthCheckOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var options = new ResumableUploadsHealthCheckOptions();
        configure?.Invoke(options);
        options.Validate();
        return builder.Add(new HealthCheckRegistration(
            name,
            services => new UploadHealthCheck(services.GetRequiredService<SharedUploadServices>(), options),
            failureStatus,
            tags));
    }
}
