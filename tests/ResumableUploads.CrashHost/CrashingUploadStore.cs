using ResumableUploads.Abstractions;

namespace ResumableUploads.CrashHost;

/// <summary>A store around another one, in which the process can die before and after each step from the last byte to the stored outcome.</summary>
internal sealed class CrashingUploadStore(IUploadStore inner) : IUploadStore
{
    public async ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        AppendResult result = await inner.AppendAsync(key, offset, content, mode, cancellationToken);
        if (result.Status == AppendStatus.Appended && await inner.GetAsync(key, cancellationToken) is { } now && now.Length == now.Offset)
        {
            CrashPlan.CrashIfRequested("after-last-append");
        }

        return result;
    }

    public async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        string step = record.State.ToString().ToLowerInvariant();
        CrashPlan.CrashIfRequested($"before-{step}");
        UpdateResult result = await inner.UpdateAsync(key, version, record, cancellationToken);
        if (result.Status == ChangeStatus.Succeeded)
        {
            CrashPlan.CrashIfRequested($"after-{step}");
        }

        return result;
    }

    public async ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        CrashPlan.CrashIfRequested("before-outcome");
        await inner.PutResponseAsync(key, response, cancellationToken);
        CrashPlan.CrashIfRequested("after-outcome");
    }

    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        inner.CreateAsync(key, record, cancellationToken);

    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => inner.GetAsync(key, cancellationToken);

    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => inner.OpenReadAsync(key, cancellationToken);

    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        inner.DeleteAsync(key, version, cancellationToken);

    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) => inner.ListAsync(query, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        inner.GetResponseAsync(key, cancellationToken);

    public T? GetCapability<T>() where T : class => inner.GetCapability<T>();
}
