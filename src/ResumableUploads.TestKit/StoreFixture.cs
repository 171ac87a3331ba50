using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>
/// The storage of one case. It is empty at first, is used by that case only, and is removed by <see cref="DisposeAsync"/>. Cases can run in
/// parallel, each with its own fixture.
/// </summary>
public abstract class StoreFixture : IAsyncDisposable
{
    /// <summary>
    /// Opens a store on this storage. Called once at the start and, with <see cref="StoreCapabilities.SharedStorage"/>, again: after the first store
    /// was disposed (if it is disposable), or while it is in use.
    /// </summary>
    /// <param name="timeProvider">The clock that the store must use. It advances only if a case advances it.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The store.</returns>
    public abstract ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken);

    /// <summary>Removes the storage. The default implementation does nothing.</summary>
    /// <returns>A task that completes when the storage is removed.</returns>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
