using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine;

/// <summary>Engine settings with the package's defaults, for tests that change one of them.</summary>
internal static class TestSettings
{
    public static EngineSettings Default { get; } = new()
    {
        MaxUploadSize = 10L << 30,
        MaxUploadsPerOwner = 1000,
        MaxBytesPerOwner = 100L << 30,
        MaxAppendsPerOwner = 100,
        IdleTimeout = TimeSpan.FromSeconds(60),
        MinDataRate = 100,
        MinDataRatePeriod = TimeSpan.FromSeconds(60),
        PreemptionTimeout = TimeSpan.FromSeconds(5),
        AppendGracePeriod = TimeSpan.FromSeconds(10),
        Expiration = TimeSpan.FromDays(7),
        MaxAge = TimeSpan.FromDays(30),
        CompletedRetention = TimeSpan.FromDays(7),
        MaxHandlerAttempts = 14,

        // Longer than CompletionTimeout, so that a request of another process ends before the lease.
        HandlerLeaseDuration = TimeSpan.FromSeconds(60),
        CompletionTimeout = TimeSpan.FromSeconds(30),
        ProgressInterval = TimeSpan.FromSeconds(0.5),
        SweepInterval = TimeSpan.FromMinutes(5),
        StartOverAfterCompletion = false,
    };
}
