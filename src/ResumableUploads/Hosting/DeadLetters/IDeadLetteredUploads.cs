using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>
/// Lists dead-lettered uploads, and runs their handlers again. For an operator, after the reason of the failures was removed.
/// <c>AddResumableUploads()</c> registers it as a singleton.
/// </summary>
public interface IDeadLetteredUploads
{
    /// <summary>Enumerates the dead-lettered uploads of all endpoints of the application. Reads the records of all uploads in their stores.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The uploads, in no particular order.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    IAsyncEnumerable<UploadInfo> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the handler of a received upload again, with all its attempts, whether it is dead-lettered or waits for its next attempt. Restarts the
    /// expiration of the upload.
    /// </summary>
    /// <remarks>
    /// <see cref="ResumableUploadOptions.OnCompleted"/> starts at once, in the background. An endpoint with <c>WithResumableUploads()</c> runs when the
    /// client next requests the result, because it needs a request.
    /// </remarks>
    /// <param name="key">The key of the upload, as in <see cref="UploadEvent.Key"/>.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// <see langword="true"/> if the handler runs again; <see langword="false"/> if the upload does not exist, is not received, has expired, or its handler is
    /// running.
    /// </returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    Task<bool> RetryAsync(UploadKey key, CancellationToken cancellationToken = default);
}
