using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>
/// The storage that one case works on. It is empty at the beginning, belongs to that case alone, and is removed by
/// <see cref="DisposeAsync"/>. Cases may run at the same time.
/// </summary>
public abstract class StoreFixture : IAsyncDisposable
{
    /// <summary>
    /// Opens a store on this storage. Called once at the beginning and, with <see cref="StoreCapabilities.SharedStorage"/>, again: after the
    /// first store was closed (disposed, if it is made to be disposed), or while it works.
    /// </summary>
    /// <param name="timeProvider">The clock of the store. It stands still unless a case moves it, and so does what the store reads from it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public abstract ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken);

    /// <summary>Removes the storage. Default: nothing.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
