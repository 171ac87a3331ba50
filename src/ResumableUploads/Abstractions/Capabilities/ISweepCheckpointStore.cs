namespace ResumableUploads.Abstractions;

/// <summary>A store that can save the position of the background sweep, so that a sweep continues after a restart of the process.</summary>
public interface ISweepCheckpointStore
{
    /// <summary>Returns the saved position. It is a hint: it need not be durable, and its upload need not exist any more.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The key of the last upload that was swept, or <see langword="null"/> to start at the beginning.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<UploadKey?> GetSweepCheckpointAsync(CancellationToken cancellationToken);

    /// <summary>Saves or removes the position. Called every few seconds during a long sweep; the last call wins.</summary>
    /// <param name="checkpoint">The key of the last upload that was swept, or <see langword="null"/> if the sweep has finished.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the position is saved.</returns>
    /// <exception cref="UploadStoreException">The storage failed.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask PutSweepCheckpointAsync(UploadKey? checkpoint, CancellationToken cancellationToken);
}
