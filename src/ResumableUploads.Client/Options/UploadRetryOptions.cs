namespace ResumableUploads.Client;

/// <summary>The options of retries.</summary>
public sealed class UploadRetryOptions
{
    /// <summary>
    /// Gets or sets the maximum number of consecutive retries in which the server has stored no new byte. The default is 10. With 0, the first failure ends the upload.
    /// </summary>
    public int MaxRetries { get; set; } = 10;

    /// <summary>Gets or sets the delay before the first retry. It doubles with each further one. Each delay is shortened at random by up to a half. The default is 500 milliseconds.</summary>
    public TimeSpan InitialDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Gets or sets the maximum delay between retries. The default is 30 seconds. A <c>Retry-After</c> of the server can be longer, up to one hour.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the time after which a request is aborted in which no byte could be sent, or whose response has not arrived. The client then requests the status and continues. The default is 60 seconds.
    /// <see cref="Timeout.InfiniteTimeSpan"/> disables it.
    /// </summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets or sets a callback that runs before each delay.</summary>
    public Action<UploadRetry>? OnRetry { get; set; }
}
