namespace ResumableUploads.Abstractions;

/// <summary>A store that can remove what crashes have left in its storage.</summary>
public interface ISelfCleaningStore
{
    /// <summary>
    /// Removes data that belongs to no upload. Called at the end of each sweep. Safe at any time, also during other calls and from several processes.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the data is removed.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask CleanUpAsync(CancellationToken cancellationToken);
}
