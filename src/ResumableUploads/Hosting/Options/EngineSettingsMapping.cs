using ResumableUploads.Engine;

namespace ResumableUploads.Hosting.Options;

/// <summary>Converts <see cref="ResumableUploadOptions"/> to the settings of the engine.</summary>
internal static class EngineSettingsMapping
{
    /// <summary>Returns the settings of one engine.</summary>
    /// <param name="options">The options, already validated.</param>
    /// <param name="getEngineNames">Gets the names of the engine in the records of its uploads.</param>
    /// <param name="hasHandler">Whether a handler takes completed uploads. Without one they are kept forever.</param>
    public static EngineSettings ToEngineSettings(this ResumableUploadOptions options, Func<IReadOnlyCollection<string>> getEngineNames, bool hasHandler) => new()
    {
        GetEngineNames = getEngineNames,
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
