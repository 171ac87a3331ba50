namespace ResumableUploads;

/// <summary>Configures how the completion handler (<see cref="ResumableUploadOptions.OnCompleted"/> or the endpoint itself) runs.</summary>
public sealed class ResumableUploadHandlerOptions
{
    /// <summary>Gets or sets how many times the handler runs for an upload before the upload is dead-lettered.</summary>
    /// <remarks>
    /// Defaults to 14, which takes about a day with the default delays. Must be greater than 0. A run that a client requests before the next attempt is due
    /// does not count. A failed attempt is answered with 503, a request for a dead-lettered upload with 500.
    /// </remarks>
    public int MaxAttempts { get; set; } = 14;

    /// <summary>
    /// Gets or sets the time from the first failed attempt of the handler to the next one. It is doubled after each further failure, and changed at random by
    /// up to 20%. The attempt is made by the first sweep after that time.
    /// </summary>
    /// <remarks>Defaults to 60 seconds. Must not be negative and at most 49 days. With zero, every sweep makes an attempt and every run counts.</remarks>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets the maximum time between two attempts of the handler.</summary>
    /// <remarks>Defaults to 4 hours. Must be greater than zero and at most 49 days.</remarks>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromHours(4);

    /// <summary>
    /// Gets or sets how long a handler holds its lease on an upload. The lease is renewed three times in this duration while the handler runs. Another process
    /// can run the handler when it has seen no renewal for this duration, by its own monotonic clock.
    /// </summary>
    /// <remarks>
    /// Defaults to 15 seconds. Must be at least 3 milliseconds and at most 49 days. A handler whose lease could not be renewed for nine tenths of the duration is
    /// canceled.
    /// </remarks>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets or sets how long a repeated last request waits for a handler that is still running.</summary>
    /// <remarks>Defaults to 30 seconds. Must be greater than zero and at most 49 days. After this time the request is answered with 503.</remarks>
    public TimeSpan CompletionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the maximum size, in bytes, of an endpoint's response body that is stored for clients that lost the response. Of a
    /// larger response only the status code and the headers are stored.
    /// </summary>
    /// <remarks>Defaults to 64 KiB. Must be between 0 and 512 KiB.</remarks>
    public long MaxStoredResponseSize { get; set; } = 64L << 10;

    /// <summary>
    /// Gets the names of additional response headers to store with an endpoint's response. Headers that describe the response
    /// (<c>Content-*</c>, <c>Location</c>, <c>ETag</c>, <c>Link</c> and similar) are always stored.
    /// </summary>
    /// <remarks>Defaults to an empty list. <c>Set-Cookie</c>, authentication and hop-by-hop headers are not allowed.</remarks>
    public IList<string> StoredHeaders { get; } = [];

    /// <summary>Gets or sets what happens when a completed file is sent again.</summary>
    /// <remarks>Defaults to <see cref="RepeatBehavior.ReplayResponse"/>.</remarks>
    public RepeatBehavior RepeatBehavior { get; set; } = RepeatBehavior.ReplayResponse;
}
