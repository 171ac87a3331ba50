using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>
/// The storage of one case. It is empty at first, is used by that case only, and is removed by <see cref="DisposeAsync"/>. Cases can run in
/// parallel, each with its own fixture.
/// </summary>
public abstract class StoreFixture : IAsyncDisposable
{
    /// <summary>
    /// Gets how long a case waits for something that must happen. It is reached only if the case fails. Default: 30 seconds. Increase it for a store whose calls
    /// take seconds.
    /// </summary>
    public virtual TimeSpan Timeout => TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets the size, in bytes, of the blocks or segments in which the store keeps content. Cases append content that ends around the boundaries of blocks, up to
    /// four blocks at once. Default: 65,536.
    /// </summary>
    public virtual int BlockSize => 64 * 1024;

    /// <summary>
    /// Gets whether the storage service determines <see cref="UploadInfo.LastModified"/> with a clock of its own, such as that of a database server, instead of the clock
    /// that is passed to <see cref="OpenStoreAsync"/>. The cases then check expirations without advancing the clock. The clock of the service must be accurate to
    /// half an hour. Default: <see langword="false"/>.
    /// </summary>
    public virtual bool HasOwnClock => false;

    /// <summary>
    /// Gets the container to which cases copy content, for a store with <see cref="StoreCapabilities.ContentCopies"/>. It exists, and is empty at first. Default:
    /// <see langword="null"/>.
    /// </summary>
    public virtual string? CopyContainer => null;

    /// <summary>Reads an object of <see cref="CopyContainer"/>. Override it for a store with <see cref="StoreCapabilities.ContentCopies"/>.</summary>
    /// <param name="name">The name of the object.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The content of the object, or <see langword="null"/> if it does not exist.</returns>
    /// <exception cref="NotSupportedException">The fixture does not override the method.</exception>
    public virtual ValueTask<byte[]?> ReadCopyAsync(string name, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"A fixture of a store with {nameof(StoreCapabilities.ContentCopies)} overrides {nameof(ReadCopyAsync)}.");

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
