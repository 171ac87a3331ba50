namespace ResumableUploads;

/// <summary>Configures timeouts, retention times and intervals.</summary>
public sealed class ResumableUploadTimeouts
{
    /// <summary>Gets or sets how long a request can send no bytes before it is ended.</summary>
    /// <remarks>
    /// Defaults to 60 seconds. Must be at least 1 second and at most 49 days. The request is ended with 408; the bytes it has sent are kept.
    /// </remarks>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets or sets how long a request waits for an earlier request of the same upload to release it.</summary>
    /// <remarks>Defaults to 5 seconds. Must be greater than zero and at most 49 days. After this time the new request is rejected with 503.</remarks>
    public TimeSpan PreemptionTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets how long a request waits for the store after its content was cut off, the client has disconnected, or another request needs the upload.
    /// </summary>
    /// <remarks>Defaults to 10 seconds. Must be greater than zero and at most 49 days. After this time the request is rejected with 503.</remarks>
    public TimeSpan AppendGracePeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the maximum age of an incomplete upload, counted from its creation.</summary>
    /// <remarks>Defaults to 30 days. Must be greater than zero. An older upload is deleted even if it still receives bytes.</remarks>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Gets or sets how long a completed upload stays in the store, including its content if it was not moved. Without a completion
    /// handler, completed uploads are kept forever.
    /// </summary>
    /// <remarks>Defaults to 7 days. Must be greater than zero.</remarks>
    public TimeSpan CompletedRetention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Gets or sets the interval at which expired uploads are deleted.</summary>
    /// <remarks>Defaults to 5 minutes. Must be at least 1 second and at most 49 days.</remarks>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets how long <see cref="ResumableUploadOptions.OnCreating"/>, <see cref="ResumableUploadOptions.OnProgress"/> and
    /// <see cref="ResumableUploadOptions.OnExpired"/> can run before their token is canceled.
    /// </summary>
    /// <remarks>
    /// Defaults to 30 seconds. Must be greater than zero and at most 49 days. A second after the cancellation, the server continues without the call and
    /// logs it. A creation that was not decided is answered with 503.
    /// </remarks>
    public TimeSpan EventTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the minimum interval between two calls of <see cref="ResumableUploadOptions.OnProgress"/>, and between two interim
    /// responses, of one request.
    /// </summary>
    /// <remarks>Defaults to 0.5 seconds. Must be greater than zero and at most 49 days.</remarks>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromMilliseconds(500);
}
