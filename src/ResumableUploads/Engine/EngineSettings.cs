namespace ResumableUploads.Engine;

/// <summary>What the engine may do, in numbers. The options of an app are turned into this once.</summary>
internal sealed record EngineSettings
{
    /// <summary>What tells this engine from others of the app that may share its store; the same after a restart.</summary>
    public string EngineName { get; init; } = "";

    public required long MaxUploadSize { get; init; }

    public required int MaxUploadsPerOwner { get; init; }

    public required long MaxBytesPerOwner { get; init; }

    public required int MaxAppendsPerOwner { get; init; }

    public required TimeSpan IdleTimeout { get; init; }

    public required long MinDataRate { get; init; }

    public required TimeSpan MinDataRatePeriod { get; init; }

    public required TimeSpan PreemptionTimeout { get; init; }

    public required TimeSpan AppendGracePeriod { get; init; }

    public required TimeSpan Expiration { get; init; }

    public required TimeSpan MaxAge { get; init; }

    /// <summary>Null: completed uploads are kept for ever, because nobody has taken their content.</summary>
    public required TimeSpan? CompletedRetention { get; init; }

    public required int MaxHandlerAttempts { get; init; }

    public required TimeSpan HandlerLeaseDuration { get; init; }

    public required TimeSpan CompletionTimeout { get; init; }

    public required TimeSpan ProgressInterval { get; init; }

    public required TimeSpan SweepInterval { get; init; }

    /// <summary>Whether a finished upload makes room for the same one sent again from its first byte.</summary>
    public required bool StartOverAfterCompletion { get; init; }
}
