namespace ResumableUploads.Abstractions;

/// <summary>A store that can remove data that crashes have left in its storage.</summary>
public interface ISelfCleaningStore
{
    /// <summary>
    /// Removes data that belongs to no upload. The sweep calls this method when it ends. It may run concurrently with other calls, including in
    /// other processes.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the data is removed.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask CleanUpAsync(CancellationToken cancellationToken);
}
