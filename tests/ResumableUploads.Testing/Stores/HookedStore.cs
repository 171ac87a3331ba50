using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Testing.Stores;

/// <summary>The view that one process has of a shared store, with hooks between its calls.</summary>
internal sealed class HookedStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
{
    public Func<UploadKey, Task>? AfterCreate { get; set; }

    public Func<UploadKey, Task>? BeforeGet { get; set; }

    public Func<UploadKey, Task>? BeforeOpenRead { get; set; }

    public Func<UploadKey, Task>? BeforeDelete { get; set; }

    public Func<UploadKey, Task>? BeforeUpdate { get; set; }

    public Func<UploadKey, Task>? BeforeAppend { get; set; }

    public Func<UploadKey, Task>? BeforeComplete { get; set; }

    /// <summary>Gets or sets whether listings are empty, so that no sweep finds an upload. Listings of one owner are never empty.</summary>
    public bool IsUnswept { get; init; }

    /// <summary>Gets or sets whether the stored responses are lost.</summary>
    public bool HasLostResponses { get; set; }

    public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        CreateResult result = await InnerStore.CreateAsync(key, record, cancellationToken);
        await (AfterCreate?.Invoke(key) ?? Task.CompletedTask);
        return result;
    }

    public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
    {
        await (BeforeGet?.Invoke(key) ?? Task.CompletedTask);
        return await InnerStore.GetAsync(key, cancellationToken);
    }

    public override async ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        await (BeforeAppend?.Invoke(key) ?? Task.CompletedTask);
        return await base.AppendAsync(key, offset, content, mode, cancellationToken);
    }

    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        await (BeforeUpdate?.Invoke(key) ?? Task.CompletedTask);
        return await InnerStore.UpdateAsync(key, version, record, cancellationToken);
    }

    public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        await (BeforeOpenRead?.Invoke(key) ?? Task.CompletedTask);
        return await InnerStore.OpenReadAsync(key, cancellationToken);
    }

    public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
    {
        await (BeforeDelete?.Invoke(key) ?? Task.CompletedTask);
        return await InnerStore.DeleteAsync(key, version, cancellationToken);
    }

    public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (IsUnswept && query.Owner is null)
        {
            yield break;
        }

        await foreach (UploadInfo info in InnerStore.ListAsync(query, cancellationToken))
        {
            yield return info;
        }
    }

    public override async ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        await (BeforeComplete?.Invoke(key) ?? Task.CompletedTask);
        return await base.CompleteAsync(key, version, record, response, cancellationToken);
    }

    public override async ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        HasLostResponses ? null : await base.GetResponseAsync(key, cancellationToken);
}
