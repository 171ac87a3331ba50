using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Testing.Stores;

/// <summary>An in-memory store whose calls, except listings, fail on demand, and which can be without staged appends.</summary>
internal sealed class FailingStore() : DelegatingUploadStore(new MemoryUploadStore())
{
    /// <summary>Gets or sets the failure of every call, or null.</summary>
    public StoreFailure? Failure { get; set; }

    /// <summary>Gets or sets the failure of every append, or null.</summary>
    public StoreFailure? AppendFailure { get; set; }

    public bool CanStage { get; init; } = true;

    private IUploadStore WorkingStore => Failure is { } failure ? throw new UploadStoreException(failure, "Injected failure.") : InnerStore;

    public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        WorkingStore.CreateAsync(key, record, cancellationToken);

    public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => WorkingStore.GetAsync(key, cancellationToken);

    public override ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        AppendFailure is { } failure
            ? throw new UploadStoreException(failure, "Injected failure.")
            : WorkingStore.AppendAsync(key, offset, content, mode, cancellationToken);

    public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        WorkingStore.UpdateAsync(key, version, record, cancellationToken);

    public override ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => WorkingStore.OpenReadAsync(key, cancellationToken);

    public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        WorkingStore.DeleteAsync(key, version, cancellationToken);

    public override ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        WorkingStore.CompleteAsync(key, version, record, response, cancellationToken);

    public override ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        WorkingStore.GetResponseAsync(key, cancellationToken);

    public override T? GetCapability<T>() where T : class => CanStage ? base.GetCapability<T>() : null;
}
