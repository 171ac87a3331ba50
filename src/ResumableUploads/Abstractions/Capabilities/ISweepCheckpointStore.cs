namespace ResumableUploads.Abstractions;

/// <summary>
/// A store that can save the checkpoint of the background sweep, which removes expired uploads, so that the sweep resumes after a process restart.
/// </summary>
/// <remarks>Without this capability, the sweep starts at the beginning after a restart.</remarks>
public interface ISweepCheckpointStore
{
    /// <summary>Returns the saved checkpoint. It is only a hint: it may be lost in a crash, and the upload may have been deleted.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The key of the last upload that was swept, or <see langword="null"/> if no checkpoint is saved.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken);

    /// <summary>Saves the checkpoint and replaces the previous one, or removes it. The sweep calls this method every few seconds.</summary>
    /// <param name="checkpoint">The key of the last upload that was swept, or <see langword="null"/> if the sweep has finished.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the checkpoint is saved or removed.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken);
}
