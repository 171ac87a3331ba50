using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>Converts <see cref="ResumableUploadOptions"/> to the settings of the engine.</summary>
internal static class EngineSettingsMapping
{
    /// <summary>Returns the settings of one engine.</summary>
    /// <param name="options">The options, already validated.</param>
    /// <param name="endpoint">The name that distinguishes the engine from others that share its store. Stable across restarts.</param>
    /// <param name="hasHandler">Whether a handler takes completed uploads. Without one they are kept forever.</param>
    public static EngineSettings ToEngineSettings(this ResumableUploadOptions options, string endpoint, bool hasHandler) => new()
    {
        Endpoint = endpoint,
        MaxUploadSize = options.MaxUploadSize,
        MaxUploadsPerOwner = options.Limits.MaxUploadsPerOwner,
        MaxBytesPerOwner = options.Limits.MaxBytesPerOwner,
        MaxAppendsPerOwner = options.Limits.MaxAppendsPerOwner,
        IdleTimeout = options.Timeouts.IdleTimeout,
        MinRate = options.Limits.MinDataRate,
        MinRateWindow = options.Limits.MinDataRatePeriod,
        TakeoverTimeout = options.Timeouts.PreemptionTimeout,
        AppendGrace = options.Timeouts.AppendGracePeriod,
        Expiration = options.Expiration,
        MaxAge = options.Timeouts.MaxAge,
        CompletedRetention = hasHandler ? options.Timeouts.CompletedRetention : null,
        HandlerAttempts = options.Handler.MaxAttempts,
        HandlerLease = options.Handler.LeaseDuration,
        CompletionWait = options.Handler.CompletionTimeout,
        ProgressInterval = options.Timeouts.ProgressInterval,
        SweepInterval = options.Timeouts.SweepInterval,
        StartsAgainAfterCompletion = options.Handler.RepeatBehavior == RepeatBehavior.StartOver,
    };
}
