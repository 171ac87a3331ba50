namespace ResumableUploads.Engine;

/// <summary>The limits and timeouts of an engine, converted from the application's options.</summary>
internal sealed record EngineSettings
{
    /// <summary>
    /// Gets a function that returns the names by which the records of uploads refer to this engine, and to no other one that shares its store. They are the
    /// same after a restart and a deployment. Empty while they are unknown, so that no upload belongs to the engine.
    /// </summary>
    public Func<IReadOnlyCollection<string>> GetEngineNames { get; init; } = static () => [""];

    public required long MaxUploadSize { get; init; }

    public required int MaxUploadsPerOwner { get; init; }

    public required long MaxBytesPerOwner { get; init; }

    public required int MaxAppendsPerOwner { get; init; }

    /// <summary>Gets how many times the limits per owner all networks of a shared owner together may use.</summary>
    public int AnonymousTotalFactor { get; init; } = 10;

    public required TimeSpan IdleTimeout { get; init; }

    public required long MinDataRate { get; init; }

    public required TimeSpan MinDataRatePeriod { get; init; }

    public required TimeSpan PreemptionTimeout { get; init; }

    public required TimeSpan AppendGracePeriod { get; init; }

    public required TimeSpan Expiration { get; init; }

    public required TimeSpan MaxAge { get; init; }

    /// <summary>Gets how long completed uploads are kept, or null to keep them indefinitely, because no handler processes their content.</summary>
    public required TimeSpan? CompletedRetention { get; init; }

    public required int MaxHandlerAttempts { get; init; }

    /// <summary>Gets the time from the first failed run of a handler to the next attempt. Doubled after each further failure.</summary>
    public TimeSpan HandlerRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan MaxHandlerRetryDelay { get; init; } = TimeSpan.FromHours(4);

    public required TimeSpan HandlerLeaseDuration { get; init; }

    public required TimeSpan CompletionTimeout { get; init; }

    public required TimeSpan ProgressInterval { get; init; }

    /// <summary>Gets how long an event other than the completion handler and the dead-letter event can run before its token is canceled.</summary>
    public TimeSpan EventTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets how long the engine waits for an event after its token was canceled. Less than a preempting request waits.</summary>
    public TimeSpan EventGracePeriod => PreemptionTimeout < TimeSpan.FromSeconds(2) ? PreemptionTimeout / 2 : TimeSpan.FromSeconds(1);

    public required TimeSpan SweepInterval { get; init; }

    /// <summary>Gets whether an append at offset 0 replaces a completed upload.</summary>
    public required bool StartOverAfterCompletion { get; init; }
}
