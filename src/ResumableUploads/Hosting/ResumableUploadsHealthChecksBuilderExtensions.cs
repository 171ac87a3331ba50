using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads.Hosting.Startup;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health check of resumable uploads.</summary>
public static class ResumableUploadsHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a health check for the background work of resumable uploads. It fails if the last three sweeps of a store have failed, or if a sweep has made
    /// no progress for three times <see cref="ResumableUploads.ResumableUploadTimeouts.SweepInterval"/> and ten minutes. Its data contains the time of the
    /// last successful sweep of each store.
    /// </summary>
    /// <param name="builder">The builder of the health checks.</param>
    /// <param name="name">The name of the health check. Defaults to <c>resumable-uploads</c>.</param>
    /// <param name="failureStatus">
    /// The status that is reported on failure, or <see langword="null"/> for <see cref="HealthStatus.Degraded"/>: requests still work without the sweep, but
    /// nothing expires and no failed handler is retried.
    /// </param>
    /// <param name="tags">The tags that can be used to select health checks, or <see langword="null"/> for none.</param>
    /// <returns>The builder of the health checks.</returns>
    /// <remarks>Requires <c>AddResumableUploads()</c>.</remarks>
    public static IHealthChecksBuilder AddResumableUploads(
        this IHealthChecksBuilder builder, string name = "resumable-uploads", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.Add(new HealthCheckRegistration(
            name,
            static services => new SweepHealthCheck(services.GetRequiredService<SharedUploadServices>()),
            failureStatus ?? HealthStatus.Degraded,
            tags));
    }
}
