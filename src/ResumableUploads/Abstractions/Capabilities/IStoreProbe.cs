namespace ResumableUploads.Abstractions;

/// <summary>A store that can test its storage while it is in use. Health checks and metrics use it.</summary>
public interface IStoreProbe
{
    /// <summary>
    /// Writes a small amount of data outside of all uploads, makes it as durable as an append, and deletes it. A crash during the call leaves nothing that the store
    /// does not delete later.
    /// </summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the data is durable.</returns>
    /// <exception cref="UploadStoreException">The storage cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Gets the free space of the storage, in bytes.</summary>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The free space, or <see langword="null"/> if the storage has no fixed size.</returns>
    /// <exception cref="UploadStoreException">The storage does not respond.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken);

    /// <summary>Gets how long the oldest operation that waits inside the store has waited, or <see cref="TimeSpan.Zero"/> if none waits.</summary>
    TimeSpan LongestWait => TimeSpan.Zero;
}
