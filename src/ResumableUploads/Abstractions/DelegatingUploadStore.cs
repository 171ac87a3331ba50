namespace ResumableUploads.Abstractions;

/// <summary>
/// A base class for decorators: forwards every call to another store. A derived class overrides what it changes.
/// </summary>
/// <remarks>
/// <para>
/// A capability is a second way into the inner store. <see cref="IContentMover"/> and <see cref="ISingleRequestStore"/> carry content past
/// <see cref="OpenReadAsync"/> and <see cref="AppendAsync"/>: a decorator that encrypts or counts bytes would not see them. The decorator therefore
/// has these two only if it implements the interface itself or overrides <see cref="GetCapability{T}"/>. The engine uses the other methods instead.
/// </para>
/// <para>The inner store is not disposed with the decorator.</para>
/// </remarks>
public abstract class DelegatingUploadStore : IUploadStore
{
    /// <summary>Initializes a new instance of the <see cref="DelegatingUploadStore"/> class.</summary>
    /// <param name="innerStore">The store that does the work.</param>
    /// <exception cref="ArgumentNullException"><paramref name="innerStore"/> is <see langword="null"/>.</exception>
    protected DelegatingUploadStore(IUploadStore innerStore)
    {
        ArgumentNullException.ThrowIfNull(innerStore);
        InnerStore = innerStore;
    }

    /// <summary>Gets the store that does the work.</summary>
    protected IUploadStore InnerStore { get; }

    /// <inheritdoc/>
    public virtual ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        InnerStore.CreateAsync(key, record, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => InnerStore.GetAsync(key, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        InnerStore.AppendAsync(key, offset, content, mode, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        InnerStore.UpdateAsync(key, version, record, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => InnerStore.OpenReadAsync(key, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        InnerStore.DeleteAsync(key, version, cancellationToken);

    /// <inheritdoc/>
    public virtual IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
        InnerStore.ListAsync(query, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        InnerStore.PutResponseAsync(key, response, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        InnerStore.GetResponseAsync(key, cancellationToken);

    /// <summary>
    /// Returns this decorator if it implements the capability. Otherwise returns the capability of the inner store, except
    /// <see cref="IContentMover"/> and <see cref="ISingleRequestStore"/>, which would bypass the decorator.
    /// </summary>
    /// <typeparam name="T">The interface of the capability.</typeparam>
    /// <returns>The capability, or <see langword="null"/> if the decorator does not have it.</returns>
    public virtual T? GetCapability<T>() where T : class =>
        this as T ?? (typeof(T) == typeof(IContentMover) || typeof(T) == typeof(ISingleRequestStore) ? null : InnerStore.GetCapability<T>());
}
