using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Testing.Stores;

/// <summary>A memory store that fails on request, or does not support staged appends.</summary>
internal sealed class FailingStore : IUploadStore
{
    private readonly MemoryUploadStore _inner = new();

    /// <summary>Gets or sets how every call fails, or null.</summary>
    public StoreFailure? Failure { get; set; }

    /// <summary>Gets or sets how every append fails, or null.</summary>
    public StoreFailure? AppendFailure { get; set; }

    public bool CanStage { get; init; } = true;

    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        Working().CreateAsync(key, record, cancellationToken);

    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => Working().GetAsync(key, cancellationToken);

    public ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        AppendFailure is { } failure
            ? throw new UploadStoreException(failure, "Injected by the test.")
            : Working().AppendAsync(key, offset, content, mode, cancellationToken);

    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        Working().UpdateAsync(key, version, record, cancellationToken);

    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => Working().OpenReadAsync(key, cancellationToken);

    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        Working().DeleteAsync(key, version, cancellationToken);

    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) => _inner.ListAsync(query, cancellationToken);

    public ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        Working().PutResponseAsync(key, response, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        Working().GetResponseAsync(key, cancellationToken);

    public T? GetCapability<T>() where T : class => CanStage ? ((IUploadStore)_inner).GetCapability<T>() : null;

    private MemoryUploadStore Working() => Failure is { } failure ? throw new UploadStoreException(failure, "Injected by the test.") : _inner;
}
