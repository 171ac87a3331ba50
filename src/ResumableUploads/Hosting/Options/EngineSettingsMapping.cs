using ResumableUploads.Engine;

namespace ResumableUploads.Hosting.Options;

/// <summary>Converts <see cref="ResumableUploadOptions"/> to the settings of the engine.</summary>
internal static class EngineSettingsMapping
{
    /// <summary>Returns the settings of one engine.</summary>
    /// <param name="options">The options, already validated.</param>
    /// <param name="endpoint">The name that distinguishes the engine from others that share its store. Stable across restarts.</param>
    /// <param name="hasHandler">Whether a handler takes completed uploads. Without one they are kept forever.</param>
    public static EngineSettings ToEngineSettings(this ResumableUploadOptions options, string endpoint, bool hasHandler) => new()
    {
        EngineName = endpoint,
        MaxUploadSize = options.MaxUploadSize,
        MaxUploadsPerOwner = options.Limits.MaxUploadsPerOwner,
        MaxBytesPerOwner = options.Limits.MaxBytesPerOwner,
        MaxAppendsPerOwner = options.Limits.MaxAppendsPerOwner,
        AnonymousTotalFactor = options.Limits.AnonymousTotalFactor,
        IdleTimeout = options.Timeouts.IdleTimeout,
        MinDataRate = options.Limits.MinDataRate,
        MinDataRatePeriod = options.Limits.MinDataRatePeriod,
        PreemptionTimeout = options.Timeouts.PreemptionTimeout,
        AppendGracePeriod = options.Timeouts.AppendGracePeriod,
        Expiration = options.Expiration,
        MaxAge = options.Timeouts.MaxAge,
        CompletedRetention = hasHandler ? options.Timeouts.CompletedRetention : null,
        MaxHandlerAttempts = options.Handler.MaxAttempts,
        HandlerRetryDelay = options.Handler.RetryDelay,
        MaxHandlerRetryDelay = options.Handler.MaxRetryDelay,
        HandlerLeaseDuration = options.Handler.LeaseDuration,
        CompletionTimeout = options.Handler.CompletionTimeout,
        ProgressInterval = options.Timeouts.ProgressInterval,
        EventTimeout = options.Timeouts.EventTimeout,
        SweepInterval = options.Timeouts.SweepInterval,
        StartOverAfterCompletion = options.Handler.RepeatBehavior == RepeatBehavior.StartOver,
    };
}
