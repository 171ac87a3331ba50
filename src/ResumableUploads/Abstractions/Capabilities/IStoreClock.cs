namespace ResumableUploads.Abstractions;

/// <summary>
/// A store whose storage has a clock that is the same for all processes, such as that of a file server or a database. Uploads then expire by this clock, and the
/// clocks of the machines that run the processes need not agree.
/// </summary>
public interface IStoreClock
{
    /// <summary>
    /// Returns the current time of the storage. <see cref="UploadInfo.LastModified"/> must be a time of the same clock. The engine calls this method at start and
    /// then about once per minute; it adds the time that has passed since then by the monotonic clock of the process.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The current time.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<DateTimeOffset> GetUtcNowAsync(CancellationToken cancellationToken);
}
