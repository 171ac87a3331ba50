using System.IO.Pipelines;

namespace ResumableUploads.Abstractions;

/// <summary>
/// Provides a base class for stores that wrap another store. By default, the methods call the inner store; override those whose behavior differs.
/// </summary>
/// <remarks>
/// <para>
/// <see cref="IContentMover"/>, <see cref="IContentCopier"/>, <see cref="IContentUrlProvider"/>, <see cref="ISingleRequestStore"/>,
/// <see cref="IReplacingStore"/> and <see cref="IDeferredSyncStore"/> transfer content or change records without calling the methods of <see cref="IUploadStore"/>. This would bypass a decorator that encrypts or counts bytes in these methods.
/// <see cref="GetCapability{T}"/> therefore returns these capabilities only if the derived class implements the interface or overrides the method. Without
/// them, the upload engine calls the methods of <see cref="IUploadStore"/>. For the same reason, <see cref="AppendAsync"/> hides
/// <see cref="UploadContent.GetFinalRecord"/> from the inner store. A decorator that does not change records can override it and pass the content on.
/// </para>
/// <para>The decorator does not dispose the inner store.</para>
/// </remarks>
public abstract class DelegatingUploadStore : IUploadStore
{
    /// <summary>Initializes a new instance of the <see cref="DelegatingUploadStore"/> class.</summary>
    /// <param name="innerStore">The store to which calls are forwarded.</param>
    /// <exception cref="ArgumentNullException"><paramref name="innerStore"/> is <see langword="null"/>.</exception>
    protected DelegatingUploadStore(IUploadStore innerStore)
    {
        ArgumentNullException.ThrowIfNull(innerStore);
        InnerStore = innerStore;
    }

    /// <summary>Gets the inner store.</summary>
    protected IUploadStore InnerStore { get; }

    /// <inheritdoc/>
    public virtual ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        InnerStore.CreateAsync(key, record, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => InnerStore.GetAsync(key, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        InnerStore.AppendAsync(key, offset, new ContentWithoutRecord(content), mode, cancellationToken);

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
    public virtual ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        InnerStore.CompleteAsync(key, version, record, response, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        InnerStore.GetResponseAsync(key, cancellationToken);

    /// <summary>
    /// Returns this decorator if it implements the capability. Otherwise returns the capability of the inner store, except
    /// <see cref="IContentMover"/>, <see cref="IContentCopier"/>, <see cref="IContentUrlProvider"/>, <see cref="ISingleRequestStore"/>,
    /// <see cref="IReplacingStore"/> and <see cref="IDeferredSyncStore"/>, which would bypass the decorator.
    /// </summary>
    /// <typeparam name="T">The interface of the capability.</typeparam>
    /// <returns>The capability, or <see langword="null"/> if the decorator does not have it.</returns>
    public virtual T? GetCapability<T>() where T : class =>
        this as T ?? (BypassesDecorator(typeof(T)) ? null : InnerStore.GetCapability<T>());

    private static bool BypassesDecorator(Type capability) =>
        capability == typeof(IContentMover) || capability == typeof(IContentCopier) || capability == typeof(IContentUrlProvider)
        || capability == typeof(ISingleRequestStore) || capability == typeof(IReplacingStore) || capability == typeof(IDeferredSyncStore);

    /// <summary>Another content without its final record, which the engine then writes with <see cref="UpdateAsync"/>.</summary>
    private sealed class ContentWithoutRecord(UploadContent inner) : UploadContent
    {
        public override PipeReader Reader => inner.Reader;

        public override long? ExpectedLength => inner.ExpectedLength;

        public override Stream? SourceStream => inner.SourceStream;

        public override void ReportDurable(long durableOffset) => inner.ReportDurable(durableOffset);

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => inner.ShouldCommitAsync(cancellationToken);

        public override bool CanAppendTo(UploadRecord record) => inner.CanAppendTo(record);

        public override void RequestRelease() => inner.RequestRelease();
    }
}
